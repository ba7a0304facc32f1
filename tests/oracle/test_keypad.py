"""The keypad model's physics, and our driver on the model."""

import os
import subprocess
from collections import defaultdict

import pytest

from tests.oracle.desk import INTERPRETER, REPO, StepHost
from tools.sim.chips.keypad import BOUNCES, KEYS, LAYOUT, Keypad

pytestmark = pytest.mark.alone  # real time: other tests beside it would disturb it


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
from drivers.keypad import Keypad
begun = time.ticks_us()
handlers = {}
def ask(*words):
    print(time.ticks_diff(time.ticks_us(), begun), *words)
    level, *edges = sys.stdin.readline().split()
    for name in edges:
        if name in handlers: handlers[name](None)
    return int(level)
class Pin:
    IN, OPEN_DRAIN, PULL_UP, IRQ_FALLING = 1, 7, 2, 2
    def __init__(self, name): self.name = name
    def init(self, mode, pull=None, *, value=None):
        self.mode = mode
        ask("mode", self.name, mode, pull or 0)
        if value is not None: self.value(value)
    def value(self, *level):
        if level: return ask("set", self.name, level[0])
        return ask("get", self.name)
    def irq(self, handler, trigger): handlers[self.name] = handler
keypad = Keypad([Pin("ROW%d" % n) for n in range(5)], [Pin("COL%d" % n) for n in range(4)])
keys = []
async def collect():
    while True: keys.append(await keypad.key())
async def main():
    until = int(sys.argv[1])
    reader = asyncio.create_task(collect())
    for step in sys.argv[2:]:
        at, what = step.split(":")
        while time.ticks_diff(time.ticks_us(), begun) < int(at) * 1000:
            await asyncio.sleep_ms(1)
            ask("tick")
        if what == "pause": reader.cancel()
        elif what == "go": reader = asyncio.create_task(collect())
        elif what == "secret": keypad.secret(True)
        elif what == "open": keypad.secret(False)
        elif what == "clear": keypad.clear()
        else: ask(*what.split("/"))
    await asyncio.sleep_ms(until)
    ask("keys", *keys)
asyncio.run(main())
"""


def play(keypad, wires, *story, settle_ms=120):
    """Run the driver through a story; the keys it read, and how many scans it made."""
    environment = {**os.environ, "MICROPYPATH": "lib:build/gen:.:.frozen"}
    process = subprocess.Popen(
        [str(INTERPRETER), "-c", DRIVER, str(settle_ms), *story], cwd=REPO, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    pulled, keys, gets = set(), None, 0
    for line in process.stdout:
        when, word, *rest = line.split()
        wires.advance(max(0, int(when) - wires.now))
        level = 0
        if word == "mode":
            if rest[1:] == ["1", "2"]:
                pulled.add(rest[0])
        elif word == "set":
            keypad.line(rest[0], 0 if rest[1] == "0" else None)
        elif word == "get":
            gets += 1
            level = int(rest[0] in pulled and wires.levels[rest[0]] is None)
        elif word == "down":
            keypad.press(rest[0])
        elif word == "up":
            keypad.release(rest[0])
        elif word == "keys":
            keys = rest
        process.stdin.write(" ".join([str(level), *wires.edges]) + "\n")
        process.stdin.flush()
        wires.edges.clear()
    errors = process.stderr.read()
    assert process.wait(10) == 0, errors
    return keys, gets


def taps(keys, start=20, hold=80, gap=80):
    """A story of one key after the other."""
    story = []
    for number, key in enumerate(keys):
        at = start + number * (hold + gap)
        story += [f"{at}:down/{key}", f"{at + hold}:up/{key}"]
    return story


def test_every_key_is_read_once(keypad, wires):
    assert play(keypad, wires, *taps(KEYS))[0] == list(KEYS)


def test_at_rest_the_matrix_is_not_scanned(keypad, wires):
    _, gets = play(keypad, wires, *taps("5"), settle_ms=600)
    assert gets < 20 * 50, "some forty scans for one key, none afterwards"


def test_rollover_reads_both_keys_in_order(keypad, wires):
    story = ["20:down/1", "120:down/6", "220:up/1", "320:up/6"]
    assert play(keypad, wires, *story)[0] == ["1", "6"]


def test_a_ghost_is_never_a_key(keypad, wires):
    story = ["20:down/1", "120:down/2", "220:down/4", "340:up/1", "440:up/2", "540:up/4"]
    keys, _ = play(keypad, wires, *story)
    assert keys == ["1", "2", "4"], "4 is believed when 1 is gone; 5 never"


def test_the_spare_contact_is_no_key(keypad, wires):
    assert play(keypad, wires, *taps(["SPARE", "9"]))[0] == ["9"]


def test_keys_wait_in_a_ring_of_sixteen(keypad, wires):
    many = list("12345678901234567890")
    story = ["15:pause", *taps(many, hold=60, gap=60), "2600:go"]
    assert play(keypad, wires, *story)[0] == many[:16]


def test_in_secret_one_key_waits_and_others_are_lost(keypad, wires):
    story = ["15:pause", "16:secret", *taps("123"), "600:go", *taps("45", start=650)]
    assert play(keypad, wires, *story)[0] == ["1", "4", "5"]


def test_switching_and_clearing_forget_what_waits(keypad, wires):
    story = ["15:pause", *taps("1"), "200:secret", *taps("2", start=220), "400:open",
             *taps("3", start=420), "600:clear", *taps("4", start=620), "800:go"]
    assert play(keypad, wires, *story)[0] == ["4"]
