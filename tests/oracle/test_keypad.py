"""The keypad model's physics, and our driver on the model."""

from collections import defaultdict

import pytest

from tests.oracle.desk import StepHost
from tools.sim import clock
from tools.sim.chips.keypad import BOUNCES, KEYS, LAYOUT, Keypad
from tools.sim.machine import Machine


class Wires(StepHost):
    """The board's side of the matrix: pull-ups, and edges that were not yet told."""

    def __init__(self):
        super().__init__()
        self.levels = defaultdict(lambda: None)
        self.edges = []

    def line(self, name, level):
        super().line(name, level)
        if level == 0 and self.levels[name] is None:
            self.edges.append(name)
        self.levels[name] = level


@pytest.fixture
def wires():
    return Wires()


@pytest.fixture
def keypad(wires):
    model = Keypad()
    model.attach(wires)
    return model


def columns(keypad, wires, row):
    """The columns that read low with only this row driven low."""
    for number in range(5):
        keypad.line(f"ROW{number}", 0 if number == row else None)
    return [n for n in range(4) if wires.levels[f"COL{n}"] == 0]


@pytest.mark.parametrize("key", KEYS)
def test_each_key_joins_its_row_and_column(keypad, wires, key):
    keypad.press(key)
    wires.advance(10_000)
    found = [(row, column) for row in range(5) for column in columns(keypad, wires, row)]
    assert [LAYOUT[row][column] for row, column in found] == [key]
    keypad.release(key)
    wires.advance(10_000)
    assert not any(columns(keypad, wires, row) for row in range(5))


def test_contacts_bounce_both_ways(keypad, wires):
    keypad.line("ROW0", 0)
    keypad.press("1")
    wires.advance(10_000)
    keypad.release("1")
    wires.advance(10_000)
    assert [level for _, _, level in wires.lines] == [0, None, 0, None, 0, None, 0] + [
        None, 0, None, 0, None, 0, None,
    ]
    assert [when for when, _, _ in wires.lines][:7] == list(BOUNCES)


def test_three_corners_look_like_four(keypad, wires):
    for key in ("1", "2", "4"):
        keypad.press(key)
    wires.advance(10_000)
    assert columns(keypad, wires, 1) == [0, 1], "5 is not pressed and reads as if it were"


def test_digits_stay_out_of_the_timeline(keypad, wires):
    for key in ("5", "00", "ENTER"):
        keypad.press(key)
    assert [event["key"] for event in wires.events] == ["digit", "digit", "ENTER"]


# The driver runs in MicroPython. Each use of a pin is a question on its standard output, with the
# time; the answer carries the level and the edges since. A story is moves of fingers by time.
DRIVER = """
import asyncio, sys, time
from machine import Pin
from drivers.keypad import Keypad
until, story = int(sys.argv[1]), sys.argv[2:]
keypad = Keypad([Pin("KEY_ROW%d" % n) for n in range(5)], [Pin("KEY_COL%d" % n) for n in range(4)])
keys = []
async def collect():
    while True: keys.append(await keypad.key())
async def main():
    begun = time.ticks_ms()
    reader = asyncio.create_task(collect())
    for step in story:
        at, what = step.split(":")
        await asyncio.sleep_ms(max(0, int(at) - time.ticks_diff(time.ticks_ms(), begun)))
        if what == "pause": reader.cancel()
        elif what == "go": reader = asyncio.create_task(collect())
        elif what == "secret": keypad.secret(True)
        elif what == "open": keypad.secret(False)
        elif what == "clear": keypad.clear()
    await asyncio.sleep_ms(until)
    print(*keys)
asyncio.run(main())
"""


class Watched(Keypad):
    """The model, counting how often its first row is driven low: once a scan."""

    scans = 0

    def line(self, name, level):
        self.scans += name == "ROW0" and level == 0
        super().line(name, level)


def play(folder, *story, settle_ms=120):
    """Run our driver on the virtual board through a story; the keys it read, and its scans."""
    script = folder / "driver.py"
    script.write_text(DRIVER)

    async def on_the_board():
        machine = Machine(folder, program=[str(script), str(settle_ms), *story], once=True)
        keypad = Watched()
        rows = {f"ROW{n}": f"KEY_ROW{n}" for n in range(5)}
        machine.board.attach_lines("keypad", keypad, rows, {f"COL{n}": f"KEY_COL{n}"
                                                            for n in range(4)})
        await machine.power_on()
        begun = machine.clock.now()
        for step in story:
            at, what = step.split(":")
            act, _, key = what.partition("/")
            await machine.advance(max(0, begun + int(at) * 1000 - machine.clock.now()) / 1e6)
            if act in ("down", "up"):
                (keypad.press if act == "down" else keypad.release)(key)
        await machine.off(60)
        await machine.stop()
        assert machine.status == 0, machine.output()
        return machine.output().split(), keypad.scans

    return clock.run(on_the_board())


def taps(keys, start=20, hold=80, gap=80):
    """A story of one key after the other."""
    story = []
    for number, key in enumerate(keys):
        at = start + number * (hold + gap)
        story += [f"{at}:down/{key}", f"{at + hold}:up/{key}"]
    return story


def test_every_key_is_read_once(tmp_path):
    assert play(tmp_path, *taps(KEYS))[0] == list(KEYS)


def test_at_rest_the_matrix_is_not_scanned(tmp_path):
    _, scans = play(tmp_path, *taps("5"), settle_ms=600)
    assert 0 < scans < 50, "some forty scans for one key, none afterwards"


def test_rollover_reads_both_keys_in_order(tmp_path):
    story = ["20:down/1", "120:down/6", "220:up/1", "320:up/6"]
    assert play(tmp_path, *story)[0] == ["1", "6"]


def test_a_ghost_is_never_a_key(tmp_path):
    story = ["20:down/1", "120:down/2", "220:down/4", "340:up/1", "440:up/2", "540:up/4"]
    keys, _ = play(tmp_path, *story)
    assert keys == ["1", "2", "4"], "4 is believed when 1 is gone; 5 never"


def test_the_spare_contact_is_no_key(tmp_path):
    assert play(tmp_path, *taps(["SPARE", "9"]))[0] == ["9"]


def test_keys_wait_in_a_ring_of_sixteen(tmp_path):
    many = list("12345678901234567890")
    story = ["15:pause", *taps(many, hold=60, gap=60), "2600:go"]
    assert play(tmp_path, *story)[0] == many[:16]


def test_in_secret_one_key_waits_and_others_are_lost(tmp_path):
    story = ["15:pause", "16:secret", *taps("123"), "600:go", *taps("45", start=650)]
    assert play(tmp_path, *story)[0] == ["1", "4", "5"]


def test_switching_and_clearing_forget_what_waits(tmp_path):
    story = ["15:pause", *taps("1"), "200:secret", *taps("2", start=220), "400:open",
             *taps("3", start=420), "600:clear", *taps("4", start=620), "800:go"]
    assert play(tmp_path, *story)[0] == ["4"]
