"""The ST7789 model against two foreign drivers, and our driver against the model."""

import sys
import types

import numpy as np
import pytest
from PIL import Image

from tests.oracle.desk import StepHost, picture, run_on_device
from tools.sim.chips.st7789 import HEIGHT, REFRESH_US, ST7789, WIDTH


@pytest.fixture
def host():
    """A still clock."""
    return StepHost()


@pytest.fixture
def panel(host):
    """A model on that clock, lit."""
    model = ST7789()
    model.attach(host)
    model.line("BACKLIGHT", 100)
    return model


def seen(model):
    """The glass as an array of rows, columns, channels."""
    return np.frombuffer(model.pixels(), np.uint8).reshape(HEIGHT, WIDTH, 3)


class Pin:
    """A digitalio pin that moves one line of the model, or its chip select."""

    def __init__(self, moved):
        self._moved = moved

    def switch_to_output(self, value=False, **_):
        self._moved(int(value))

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        if name == "value":
            self._moved(int(value))


class Bus:
    """A busio.SPI that cuts what it sends into odd pieces."""

    def __init__(self, model):
        self._model = model

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def configure(self, **_):
        pass

    def write(self, data):
        data = bytes(data)
        for start in range(0, len(data), 4093):
            self._model.transfer(data[start:start + 4093])


def test_adafruit_draws_portrait(panel):
    from adafruit_rgb_display.st7789 import ST7789 as Adafruit

    display = Adafruit(
        Bus(panel),
        dc=Pin(lambda level: panel.line("DC", level)),
        cs=Pin(lambda level: panel.select(not level)),
    )
    wanted = picture(240, 320)
    display.image(Image.fromarray(wanted), rotation=0)
    # Their orientation C0 holds the glass upright; ours lies on its side.
    assert np.array_equal(seen(panel), np.rot90(wanted, -1))


def test_adafruit_fills_a_rectangle(panel):
    from adafruit_rgb_display.st7789 import ST7789 as Adafruit

    display = Adafruit(
        Bus(panel),
        dc=Pin(lambda level: panel.line("DC", level)),
        cs=Pin(lambda level: panel.select(not level)),
    )
    display.fill(0)
    display.fill_rectangle(10, 20, 30, 40, 0xF800)
    wanted = np.zeros((320, 240, 3), np.uint8)
    wanted[20:60, 10:40] = (255, 0, 0)
    assert np.array_equal(seen(panel), np.rot90(wanted, -1))


@pytest.mark.parametrize("rotation", [0, 180])
def test_pimoroni_draws_landscape(panel, monkeypatch, rotation):
    import gpiodevice
    from gpiod.line import Value

    class Lines:
        def set_value(self, name, value):
            panel.line(name, (1 if value == Value.ACTIVE else 0) * (100 if name != "DC" else 1))

    class SpiDev:
        def __init__(self, port, chip):
            panel.select(True)

        def xfer(self, data):
            panel.transfer(bytes(data))

    monkeypatch.setitem(sys.modules, "spidev", types.SimpleNamespace(SpiDev=SpiDev))
    monkeypatch.delitem(sys.modules, "st7789", raising=False)
    monkeypatch.setattr(gpiodevice, "get_pin", lambda name, *_: (Lines(), name))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    import st7789

    wanted = picture(WIDTH, HEIGHT)
    display = st7789.ST7789(
        0, 0, dc="DC", backlight="BACKLIGHT", width=WIDTH, height=HEIGHT, rotation=rotation
    )
    display.display(Image.fromarray(wanted))
    assert np.array_equal(seen(panel), np.rot90(wanted, rotation // 90))


# The driver runs in MicroPython; every pin and byte is one line of a log that the model is fed.
DRIVER = """
import asyncio, random
from drivers.st7789 import ST7789
class Log:
    def __init__(self, name): self.name = name
    def __call__(self, level): print(self.name, level)
    def write(self, data): print("SPI", bytes(data).hex())
    def duty_u16(self, duty): print("BACKLIGHT", duty * 100 // 65535)
display = ST7789(Log("SPI"), Log("CS"), Log("DC"), Log("BACKLIGHT"))
palette = [i * 0x111111 ^ 0x0F0000 for i in range(16)]
display.palette(palette)
def scene():
    display.frame.fill(3)
    display.frame.fill_rect(3, 5, 77, 31, 12)
    display.frame.rect(0, 0, 320, 240, 1)
    display.frame.line(0, 239, 319, 0, 9)
def patch(x, y, w, h, colour):
    display.frame.fill_rect(x, y, w, h, colour)
    display.dirty(x, y, w, h)
async def main():
    scene()
    display.dirty(0, 0, 320, 240)
    await display.show()
    print("SHOWN")
    random.seed(5)
    for _ in range(12):
        patch(random.randrange(-20, 320), random.randrange(-9, 240), random.randrange(1, 90),
              random.randrange(1, 60), random.randrange(16))
    await display.show()
    print("SHOWN")
    for y in range(240):
        print("ROW", "".join("%x" % display.frame.pixel(x, y) for x in range(320)))
    patch(301, 7, 5, 3, 2)
    await display.show()
    print("SHOWN")
asyncio.run(main())
"""


def test_our_driver_shows_its_frame(panel):
    panel.line("BACKLIGHT", 0)
    wanted, shown, sent, last_sent = [], 0, 0, 0
    for row in run_on_device(DRIVER).split("\n"):
        word, _, value = row.partition(" ")
        if word == "SPI":
            panel.transfer(bytes.fromhex(value))
            sent += len(value) // 2
        elif word == "CS":
            panel.select(value == "0")
        elif word in ("DC", "BACKLIGHT"):
            panel.line(word, int(value))
        elif word == "ROW":
            wanted.append([int(digit, 16) for digit in value])
        elif word == "SHOWN":
            shown, sent, last_sent = shown + 1, 0, sent
            if shown == 2:
                second = seen(panel).copy()
    assert shown == 3
    palette = np.array([[(c >> s) & 0xFF for s in (16, 8, 0)] for c in
                        (i * 0x111111 ^ 0x0F0000 for i in range(16))])
    kept = palette & (0xF8, 0xFC, 0xF8)
    kept |= kept >> np.array((5, 6, 5))
    assert np.array_equal(second, kept[np.array(wanted)])
    assert last_sent == 3 + 8 + 5 * 3 * 2, "a small change is a small transfer"


def test_screen_event_names_what_changed(panel, host):
    panel.select(True)
    for command, data in (
        (0x11, b""), (0x29, b""), (0x21, b""), (0x3A, b"\x55"), (0x36, b"\x60"),
    ):
        write(panel, command, data)
    host.advance(2 * REFRESH_US)
    host.events.clear()
    write(panel, 0x2A, bytes((0, 100, 0, 109)))
    write(panel, 0x2B, bytes((0, 50, 0, 59)))
    write(panel, 0x2C, b"\xff\xff" * 15)
    write(panel, 0x3C, b"\xff\xff" * 5)
    host.advance(2 * REFRESH_US)
    assert [e["rect"] for e in host.events] == [[100, 50, 10, 2]]
    host.events.clear()
    write(panel, 0x2C, b"\xff\xff" * 20)
    host.advance(2 * REFRESH_US)
    assert host.events == [], "the same pixels again change nothing"


def test_dark_asleep_or_off_is_black(panel):
    panel.select(True)
    write(panel, 0x3A, b"\x55")
    write(panel, 0x2C, b"\xff\xff" * 240 * 320)
    assert not seen(panel).any(), "it starts asleep"
    write(panel, 0x11)
    write(panel, 0x21)
    assert not seen(panel).any(), "awake, but off"
    write(panel, 0x29)
    assert seen(panel).all()
    write(panel, 0x20)
    assert not seen(panel).any(), "white inverted"
    write(panel, 0x21)
    panel.line("BACKLIGHT", 0)
    assert not seen(panel).any()


def write(model, command, data=b""):
    """One command with its parameters."""
    model.line("DC", 0)
    model.transfer(bytes((command,)))
    model.line("DC", 1)
    model.transfer(data)
