"""What lamps and buzzer are told, and when."""

import asyncio
import time

from drivers.buzzer import Buzzer
from drivers.lamps import Lamps

CLOCK = "virtual"

LIT = b"\x40\x00\x00"
DARK = b"\x00\x00\x00"


class Pwm:
    """Keeps what sounds: 0, or the frequency."""

    def __init__(self):
        self.heard = []
        self._hertz = 0

    def freq(self, hertz):
        self._hertz = hertz

    def duty_u16(self, duty):
        self.heard.append((time.ticks_ms(), self._hertz if duty else 0))

    def tones(self):
        return [hertz for _, hertz in self.heard]


def unknown(call, word):
    try:
        call(word)
    except KeyError:
        return True
    return False


async def test_steady_patterns():
    sent = []
    lamps = Lamps(lambda data: sent.append(bytes(data)))
    for pattern in ("ready", "read", "error", "off"):
        lamps.show(pattern)
    assert sent == [DARK * 4, LIT + DARK * 3, LIT * 4, DARK * 4, DARK * 4]
    assert unknown(lamps.show, "sparkle")


async def test_idle_flashes_the_first_lamp_until_the_next_pattern():
    sent = []
    lamps = Lamps(lambda data: sent.append(bytes(data)))
    lamps.show("idle")
    lamps.show("idle")
    await asyncio.sleep_ms(20)
    assert sent[1:] == [LIT + DARK * 3]
    await asyncio.sleep_ms(230)
    assert sent[2:] == [DARK * 4], "the flash is over, and one task flashes"
    lamps.show("read")
    lamps.show("idle")
    await asyncio.sleep_ms(20)
    lamps.show("ready")
    await asyncio.sleep_ms(250)
    assert sent[3:] == [LIT * 4, LIT + DARK * 3, LIT + DARK * 3], "nothing blinks any more"


async def test_a_beep_returns_at_once_and_ends_in_silence():
    pwm = Pwm()
    buzzer = Buzzer(pwm)
    begun = time.ticks_ms()
    buzzer.beep("key")
    assert time.ticks_diff(time.ticks_ms(), begun) < 20
    await asyncio.sleep_ms(80)
    assert pwm.tones() == [0, 2700, 0]


async def test_error_is_two_low_tones():
    pwm = Pwm()
    Buzzer(pwm).beep("error")
    await asyncio.sleep_ms(900)
    assert pwm.tones() == [0, 750, 0, 750, 0]
    lengths = [time.ticks_diff(b[0], a[0]) for a, b in zip(pwm.heard[1:], pwm.heard[2:])]
    assert all(195 <= length < 400 for length in lengths), lengths


async def test_a_beep_breaks_off_the_one_before():
    pwm = Pwm()
    buzzer = Buzzer(pwm)
    buzzer.beep("error")
    await asyncio.sleep_ms(30)
    buzzer.beep("key")
    await asyncio.sleep_ms(700)
    assert pwm.tones() == [0, 750, 0, 2700, 0]
    assert unknown(buzzer.beep, "trumpet")
