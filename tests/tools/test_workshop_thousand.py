"""A thousand faults: nothing that failed is called a success, and every record tells the truth.

Each batch injects at least 64 faults that must end a try (the quick one 20): on eight ports at a
time, with the real esptool, some chips among them healthy. Faults which a try may outlive
(a single byte lost or flipped, a cable too bad for a rate) come on top and are not counted.
"""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from bench_hands import batches, bench_of, holds, mac, pos_command, release

from tools.workshop import manifest
from tools.workshop.bench import Bench
from tools.workshop.chip import Chip, Script
from tools.workshop.records import Attempt, Records, read
from tools.workshop.station import Order, Outcome, program
from tools.workshop.wire import Wear

BATCHES, FAULTS_A_BATCH, PORTS = 16, 64, 8
SIZES = (2000, 3072, 9000)
BLOCKS = {"rom": 14, "stub": 3}  # that these sizes come to
HEALTHY = Script()
LINE = ("bad-cable", "no-answer")
UNTOUCHED = ("duplicate-mac", "duplicate-serial", "image-corrupt", "protected", "secured")
# espefuse's file with SPI_BOOT_CRYPT_CNT alone burnt: word 13, counted from the file's end.
ENCRYPTS = bytes(512 - 4 * 14) + (7 << 18).to_bytes(4) + bytes(4 * 13)

pytestmark = pytest.mark.timeout(900)
QUICK = 99, 20  # seed, faults: what the quick suite does of it


@dataclass
class Case:
    """A chip and what may become of its try. swap: it is exchanged while it is written."""

    name: str
    chip: Chip
    results: tuple[str, ...]
    swap: Callable[[Bench, Path], None] | None = None

    @property
    def counts(self) -> bool:
        """True when the fault must end the try."""
        return "ok" not in self.results


class Batch:
    """One workshop day: a bench, a record, new devices with ever new MACs."""

    def __init__(self, seed: int, bench: Bench, folder: Path) -> None:
        self.random = random.Random(seed)
        self.bench = bench
        self.record = folder / "record"
        self.images = release(folder / "images", SIZES)
        self.faults: Counter[str] = Counter()
        self.broken_off: list[Chip] = []  # healthy chips whose try was broken off
        self.finished: list[Chip] = []
        self._number = seed << 12

    def chip(self, script: Script = HEALTHY) -> Chip:
        """A new device with this fault."""
        self._number += 1
        return Chip(mac(self._number), script, seed=self._number)

    def cases(self, loader: str) -> list[Case]:
        """Eight devices, each with a fault of its own; two may be twins."""
        makers = [self.draw(loader) for _ in range(PORTS)]
        return [case for made in makers for case in made][:PORTS]

    def draw(self, loader: str) -> list[Case]:
        """A fault by chance."""
        pick = self.random
        block = pick.randrange(BLOCKS[loader])
        sector = pick.choice((0, 0x8000, 0x20000))
        strikes = tuple(
            (pick.choice(("to chip", "to host")), pick.randrange(12_000), kind)
            for kind in pick.choices(("drop", "flip"), k=3)
        )
        scripts = {
            "unplugged": (Script(unplug_at_block=block), ("unplugged",)),
            "stuck": (Script(stuck=range(sector, sector + 1)), ("dead-flash",)),
            "weak": (Script(weak=frozenset([sector + block * 100])), ("dead-flash",)),
            "no flash": (Script(flash_size=0), ("dead-flash",)),
            "size": (Script(flash_size=1 << pick.choice((20, 22, 23, 25))), ("wrong-flash-size",)),
            "chip": (Script(chip_id=pick.choice((None, 2, 5, 13, 16))), ("wrong-chip",)),
            "mute": (Script(mute=True), ("no-answer",)),
            "locked": (Script(locked=True), ("protected",)),
            "secured": (Script(efuses=ENCRYPTS), ("secured",)),
            "noise": (Script(wear=Wear(flip=0.02)), LINE),
            "losses": (Script(wear=Wear(drop=0.02)), LINE),
            "cut": (Script(wear=Wear(baud_limit=0)), LINE),
            "strikes": (Script(wear=Wear(strikes=strikes)), ("ok", "bad-cable")),
            "slow": (Script(wear=Wear(baud_limit=pick.choice((115_200, 460_800)))), ("ok",)),
            "stall": (Script(stall_at_block=block), ("ok",)),
            "healthy": (Script(), ("ok",)),
        }
        name = pick.choice([*scripts, "unplugged", "stuck", "weak", "hung up", "jig", "twin"])
        if name in scripts:
            script, results = scripts[name]
            return [Case(name, self.chip(script), results)]
        chip, other = self.chip(), self.chip()
        if name == "twin":
            return self.double(chip)
        swap = hung_up if name == "hung up" else in_the_jig
        return [Case(name, chip, ("unplugged",), lambda bench, port: swap(bench, port, other))]

    def double(self, chip: Chip) -> list[Case]:
        """A device with the MAC of a finished one."""
        if not self.finished:
            return [Case("healthy", chip, ("ok",))]
        twin = Chip(self.random.choice(self.finished).mac)
        return [Case("twin", twin, ("duplicate-mac",))]

    def order(self, loader: str, serial: str = "SP-000001+") -> Order:
        release_now = manifest.load(self.images)
        size = release_now.flash_size
        return Order(
            "flash", release_now, size, "lin", serial, False, loader, rates=(460_800, 115_200)
        )

    def round(self, cases: list[Case], order: Order) -> list[Outcome]:
        """Program these devices at once and hold what is said against what is."""
        ports = {str(self.bench.plug(case.chip)): case for case in cases}
        before = read(self.record)

        def show(port: str, event: dict[str, Any]) -> None:
            case = ports[port]
            if event["event"] == "progress" and case.swap:
                swap, case.swap = case.swap, None
                swap(self.bench, Path(port))

        with Records(self.record) as records:
            outcomes = asyncio.run(program(list(ports), order, records, show))
        for port in ports:
            self.bench.unplug(Path(port))
        new = [a for a in read(self.record).attempts.values() if a.id not in before.attempts]
        attempts = {attempt.port: attempt for attempt in new}
        for outcome, (port, case) in zip(outcomes, ports.items()):
            self.hold(case, outcome, attempts[port])
        self.hold_all()
        return outcomes

    def hold(self, case: Case, outcome: Outcome, attempt: Attempt) -> None:
        """One device: the outcome, the record and the chip must agree."""
        result = outcome.fault.name if outcome.fault else "ok"
        context = (case.name, case.chip.script, outcome)
        assert result in case.results, context
        assert (attempt.result, attempt.mac) == (result, outcome.mac), context
        assert attempt.mac in ("", text(case.chip.mac)), context
        if result == "ok":
            assert attempt.mac and holds(case.chip, self.images), context
            self.finished.append(case.chip)
        if result in UNTOUCHED:
            assert case.chip.blocks == 0, context
        if result == "unplugged" and not case.chip.script.weak:
            self.broken_off.append(case.chip)
        if case.counts:
            self.faults[case.name] += 1

    def hold_all(self) -> None:
        """The record says `made` of those devices that hold the images, and of no others."""
        assert set(read(self.record).made) == {text(chip.mac) for chip in self.finished}

    def kill(self) -> None:
        """Eight healthy devices; the station and all its processes are killed at some moment."""
        chips = [self.chip() for _ in range(PORTS)]
        ports = [self.bench.plug(chip) for chip in chips]
        named = [word for port in ports for word in ("--port", str(port))]
        where = ("--record", str(self.record), "--images", str(self.images), "--operator", "lin")
        command = pos_command("flash", "--json", "--loader", "rom", *where, *named)
        before = read(self.record)
        wanted = self.random.randrange(PORTS * BLOCKS["rom"])
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, start_new_session=True
        ) as station:
            limit = time.monotonic() + 60
            while sum(chip.blocks for chip in chips) < wanted and time.monotonic() < limit:
                time.sleep(0.002)
            os.killpg(station.pid, signal.SIGKILL)
        for port in ports:
            self.bench.unplug(port)
        tries = {
            a.mac: a for a in read(self.record).attempts.values() if a.id not in before.attempts
        }
        for chip in chips:
            attempt = tries.get(text(chip.mac))
            if attempt and attempt.result == "ok":
                assert holds(chip, self.images)
                self.finished.append(chip)
            else:
                assert attempt is None or attempt.result == "", attempt
                self.faults["killed"] += 1
                self.broken_off.append(chip)
        self.hold_all()
        self.tear()

    def tear(self) -> None:
        """What a power cut may leave: the start of a line that was being written."""
        with self.record.open("ab") as file:
            file.write(
                b'{"at":"2026-01-01T00:00:00.000Z","attempt":"'[: self.random.randrange(44)]
            )

    def complete(self) -> None:
        """Plug in again what was broken off: each is finished now."""
        while self.broken_off:
            chips, self.broken_off = self.broken_off[:PORTS], self.broken_off[PORTS:]
            for chip in chips:
                chip.script = replace(chip.script, unplug_at_block=None)
                chip.reset()
            self.round([Case("again", chip, ("ok",)) for chip in chips], self.order("stub"))


def hung_up(bench: Bench, port: Path, other: Chip) -> None:
    """The board is pulled and another one is plugged into the same port."""
    bench.unplug(port)
    bench.plug(other, port.name)


def in_the_jig(bench: Bench, port: Path, other: Chip) -> None:
    """The module is exchanged in its jig: the port itself does not notice."""
    bench.chips[port] = other


def text(address: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in address)


def repeat_serial(batch: Batch) -> None:
    """Eight devices are to get one serial number: one gets it."""
    chips = [batch.chip() for _ in range(PORTS)]
    cases = [Case("serial", chip, ("ok", "duplicate-serial")) for chip in chips]
    outcomes = batch.round(cases, batch.order("stub", "A-7"))
    assert sorted(o.fault is None for o in outcomes) == [False] * (PORTS - 1) + [True]
    batch.faults["serial"] += PORTS - 1


def corrupt_image(batch: Batch) -> None:
    """An image changes on the disk after it was checked."""
    order = batch.order("stub")
    image = batch.images.parent / "20000.bin"
    good = image.read_bytes()
    image.write_bytes(good[:-1] + bytes((good[-1] ^ 4,)))
    try:
        cases = [Case("image", batch.chip(), ("image-corrupt",)) for _ in range(PORTS)]
        batch.round(cases, order)
    finally:
        image.write_bytes(good)


@pytest.mark.parametrize(("seed", "faults"), batches(QUICK, BATCHES, FAULTS_A_BATCH))
def test_no_fault_becomes_a_success_and_every_record_is_true(
    tmp_path: Path, seed: int, faults: int
) -> None:
    with bench_of(tmp_path / "bench") as (bench, _, _):
        batch = Batch(seed, bench, tmp_path)
        (repeat_serial, corrupt_image)[seed % 2](batch)
        while batch.faults.total() < faults:
            for loader in ("stub", "rom"):
                batch.round(batch.cases(loader), batch.order(loader))
            batch.kill()
        batch.complete()
    book = read(batch.record)
    assert not [a for a in book.attempts.values() if a.result == ""]
    assert len(set(book.made.values())) == len(book.made)
    print(f"{batch.faults.total()} faults: {dict(batch.faults)}")
