"""Another thousand: faults while devices get their keys, numbers and papers.

Each batch ends at least 64 tries (the quick one 24) of `pos provision`, eight devices at a time,
with the real mpremote and the firmware's own injection. After every round three things must agree:
what the station says, what the record says, and what each device's flash gives back. Faults that
a try may outlive (one byte lost or flipped) come on top and are not counted.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from bench_console import Device, Fault
from bench_hands import batches
from bench_shop import (
    COMPONENTS,
    KCV,
    TYPED,
    command,
    plugged,
    provision,
    provisioned,
    shop,
    written,
)

from tools.workshop import papers
from tools.workshop.custody import MasterKey
from tools.workshop.provisioner import Injection
from tools.workshop.records import Attempt, Records, read
from tools.workshop.station import Outcome, program
from tools.workshop.wire import Wear

BATCHES, FAULTS_A_BATCH, PORTS = 16, 64, 8
LINES = 12  # identity, begin, 2 × 2 for the key, 4 papers, self-test, finish
WIRE = {"to chip": 2400, "to host": 1100}  # bytes that go over it for one device, about
# Where the device's own number stands in its first answer: its digits may become other digits.
BEFORE_SERIAL = len('{"heard": "0123456789abcdef", "serial": "')
SERIAL = range(BEFORE_SERIAL, BEFORE_SERIAL + 12)
LIMIT_S = 4.0
UNSURE = "it may hold its keys"
QUICK = 99, 24  # seed, faults: what the quick suite does of it

# The firmware says other check values than its flash gives: what a broken module would.
LIAR = "provision._kcvs = lambda: {'0': '000000', '4': '000000', '5': '000000'}"
# One bit of what is written to the keys' partition is stuck, from the nth write on.
WEAK = """
writes = 0
own_write = board.Flash.writeblocks
def write(flash, block, buffer, offset=0):
    global writes
    if len(flash._data) == 8 * 1024:
        writes += 1
        if writes > {n}:
            buffer = bytearray(buffer)
            buffer[{at} % len(buffer)] ^= 1
    own_write(flash, block, buffer, offset)
board.Flash.writeblocks = write
"""
LINE = ("bad-cable", "no-console", "device-stopped", "key-refused", "wrong-kcv", "no-terminal")
KEYS = ("key-not-kept", "papers-refused", "device-stopped", "self-test-failed")

pytestmark = pytest.mark.timeout(900)


@dataclass
class Case:
    """A device's fault and what may become of its try. mac: of one that was there before."""

    name: str
    fault: Fault
    results: tuple[str, ...]
    mac: str = ""
    stranger: bool = False  # nobody flashed it


HEALTHY = Case("healthy", Fault(), ("ok",))


class Batch:
    """One day at the station: a record, a shop, ever new devices."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.record = folder / "record"
        self.faults: Counter[str] = Counter()
        self.keyed: set[str] = set()  # MACs, 12 hex digits, of devices that were called good
        self.broken_off: list[str] = []  # MACs of those whose try did not come to a good end
        self._number = seed << 12
        self._rounds = 0
        shop(folder)
        self.papers = papers.load(folder / "shop.yaml")

    def order(
        self, serial: str = "SP-000001+", terminal: str = "SP000001+", kcv: str = KCV
    ) -> Injection:
        key = MasterKey(kcv, [bytearray.fromhex(part) for part in COMPONENTS], ["Wang", "Li"])
        return Injection("lin", self.papers, key, serial, terminal,
                         labels=self.folder / "labels", limit_s=LIMIT_S)  # fmt: skip

    def mac(self) -> str:
        self._number += 1
        return f"7CDFA1{self._number:06X}"

    def draw(self) -> list[Case]:
        """A fault by chance; twins are two devices."""
        pick = self.random
        strikes = tuple(
            (way, pick.randrange(WIRE[way]), pick.choice(("drop", "flip")))
            for way in pick.choices(sorted(WIRE), k=2)
        )
        misread = ("to host", pick.choice(SERIAL), "flip")
        broken = f"board.broken.add({pick.choice(('printer', 'display', 'nfc'))!r})"
        weak = WEAK.format(n=pick.randrange(24), at=pick.randrange(4096))
        cut = Case("unplugged", Fault(unplug_at_line=pick.randrange(LINES)), ("unplugged",))
        twin = Case("twin", Fault(), ("ok", "duplicate-mac"), self.mac())
        kinds = [
            [cut], [cut], [cut], [twin, twin], [HEALTHY],
            [Case("flips", Fault(wear=Wear(flip=0.01)), LINE)],
            [Case("losses", Fault(wear=Wear(drop=0.01)), LINE)],
            [Case("misread", Fault(wear=Wear(strikes=(misread,))), ("bad-cable",))],
            [Case("strikes", Fault(wear=Wear(strikes=strikes)), ("ok", *LINE))],
            [Case("liar", Fault(prelude=LIAR), ("key-not-kept",))],
            [Case("weak", Fault(prelude=weak), ("ok", *KEYS))],
            [Case("broken", Fault(prelude=broken), ("self-test-failed",))],
            [Case("stopped", Fault(prelude="board.mount = None"), ("device-stopped",))],
            [Case("other", Fault(other=True), ("no-terminal",))],
            [Case("stranger", Fault(), ("not-flashed",), stranger=True)],
        ]  # fmt: skip
        if self.keyed:
            old = pick.choice(sorted(self.keyed))
            kinds.append([Case("repeated", Fault(), ("duplicate-mac",), old)])
        return pick.choice(kinds)

    def cases(self) -> list[Case]:
        """Eight devices."""
        found: list[Case] = []
        while len(found) < PORTS:
            drawn = self.draw()
            if len(found) + len(drawn) <= PORTS:
                found += drawn
        return found

    def plug(self, cases: list[Case]) -> list[Device]:
        """These devices on new ports, flashed as far as they are."""
        self._rounds += 1
        place = self.folder / f"round{self._rounds}"
        place.mkdir()
        macs = [case.mac or self.mac() for case in cases]
        with Records(self.record) as records:
            new = [mac for mac, case in zip(macs, cases) if not case.stranger]
            for mac in set(new).difference(records.book.made, self.keyed):
                if written(mac) not in records.book.made:
                    attempt = records.begin("flash", "/dev/x", "lin")
                    records.identify(attempt, written(mac))
                    records.end(attempt, "ok")
        return [
            Device(place / f"usb{n}", mac, case.fault, seed=self._number + n)
            for n, (mac, case) in enumerate(zip(macs, cases))
        ]

    def round(self, cases: list[Case], order: Injection) -> list[str]:
        """Provision these devices at once and hold what is said against what is."""
        devices = self.plug(cases)
        before = read(self.record).attempts
        with Records(self.record) as records:
            ports = [str(device.port) for device in devices]
            outcomes = asyncio.run(program(ports, order, records, lambda port, event: None))
        tries = {a.port: a for a in read(self.record).attempts.values() if a.id not in before}
        for case, device, outcome in zip(cases, devices, outcomes):
            device.unplug()
            self.hold(case, device, outcome, tries[outcome.port])
        self.hold_all()
        return [outcome.fault.name if outcome.fault else "ok" for outcome in outcomes]

    def hold(self, case: Case, device: Device, outcome: Outcome, attempt: Attempt) -> None:
        """One device: the outcome, the record and its flash must agree."""
        result = outcome.fault.name if outcome.fault else "ok"
        context = (case, outcome)
        assert result in case.results, context
        assert (attempt.result, attempt.mac) == (result, outcome.mac), context
        assert attempt.mac in ("", written(device.mac)), context
        if result == "ok":
            self.holds(device, attempt)
            return
        self.faults[case.name] += 1
        assert not device.holds() or UNSURE in outcome.detail, context
        if result in ("not-flashed", "duplicate-mac", "duplicate-serial", "duplicate-terminal"):
            assert device.lines == 1, context  # who it is, and not a word more
        elif not case.stranger:
            self.broken_off.append(device.mac)

    def holds(self, device: Device, attempt: Attempt) -> None:
        """A good device's flash gives back what the record says of it, and the shop's papers."""
        own = {"serial": attempt.serial, "terminal": attempt.terminal}
        own |= {name: self.papers.values[name] for name in ("merchant", "name", "tpdu")}
        held = device.holds()
        assert held == own | {"kcv": self.ended(attempt)["kcv"]} and held["kcv"]["0"] == KCV
        assert device.mac not in self.keyed, "two devices got one device's numbers"
        self.keyed.add(device.mac)

    def ended(self, attempt: Attempt) -> dict[str, Any]:
        """The record's own line of a try's end."""
        lines = map(json.loads, self.record.read_text().splitlines())
        return next(e for e in lines if e["kind"] == "ended" and e["attempt"] == attempt.id)

    def hold_all(self) -> None:
        """The record says `provisioned` of those that were seen to be, and each has its number."""
        book = read(self.record)
        assert set(book.provisioned) == {written(mac) for mac in self.keyed}
        numbers = [(a.serial, a.terminal) for a in book.provisioned.values()]
        assert all(len(set(column)) == len(numbers) for column in zip(*numbers))

    def kill(self) -> None:
        """Eight healthy devices; the station is killed at some line."""
        devices = self.plug([HEALTHY] * PORTS)
        before = read(self.record).attempts
        wanted = self.random.randrange(PORTS * LINES)
        with subprocess.Popen(
            command(self.folder, devices, "--kcv", KCV), stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True,
        ) as station:  # fmt: skip
            assert station.stdin
            station.stdin.write("\n".join(TYPED) + "\n")
            station.stdin.flush()
            limit = time.monotonic() + 60
            while sum(device.lines for device in devices) < wanted and time.monotonic() < limit:
                time.sleep(0.001)
            os.killpg(station.pid, signal.SIGKILL)
        tries = {a.mac: a for a in read(self.record).attempts.values() if a.id not in before}
        for device in devices:
            device.unplug()
            attempt = tries.get(written(device.mac))
            if attempt and attempt.result:
                assert attempt.result == "ok", attempt
                self.holds(device, attempt)
            else:
                self.faults["killed"] += 1
                self.broken_off.append(device.mac)
        self.hold_all()

    def complete(self) -> None:
        """What was broken off is plugged in again, sound: each gets its keys now."""
        macs = sorted(set(self.broken_off).difference(self.keyed))
        while macs:
            some, macs = macs[:PORTS], macs[PORTS:]
            self.round([replace(HEALTHY, mac=mac) for mac in some], self.order())


def repeat_a_number(batch: Batch) -> None:
    """Eight devices are to get one serial number, eight more one terminal number: two get it."""
    for name, order in (
        ("serial", batch.order(serial="A-7")), ("terminal", batch.order(terminal="A0000007"))
    ):  # fmt: skip
        case = Case(name, Fault(), ("ok", f"duplicate-{name}"))
        results = batch.round([case] * PORTS, order)
        assert results.count("ok") == 1


def another_letter(batch: Batch) -> None:
    """The check value in the letter is another key's: no device keeps any."""
    batch.round([Case("letter", Fault(), ("wrong-kcv",))] * PORTS, batch.order(kcv="ABCDEF"))


@pytest.mark.parametrize(("seed", "faults"), batches(QUICK, BATCHES, FAULTS_A_BATCH))
def test_no_fault_becomes_a_success_and_every_record_is_true(
    tmp_path: Path, seed: int, faults: int
) -> None:
    batch = Batch(seed, tmp_path)
    (another_letter, repeat_a_number)[seed % 2](batch)
    while batch.faults.total() < faults:
        batch.round(batch.cases(), batch.order())
        batch.kill()
    batch.complete()
    assert not [a for a in read(batch.record).attempts.values() if a.result == ""]
    print(f"{batch.faults.total()} faults: {dict(batch.faults)}")


def test_unplugged_at_any_line_a_device_is_not_provisioned_and_can_be_done_again(
    tmp_path: Path,
) -> None:
    shop(tmp_path)
    lines = 12  # identity, begin, 2 × 2 for the key, 4 papers, self-test, finish
    faults = [Fault(unplug_at_line=n) for n in range(lines + 1)]
    with plugged(tmp_path, *faults) as devices:
        _, told = provision(tmp_path, devices)
        by_port = {device["port"]: device for device in told["devices"]}
        *cut, whole = [by_port[str(device.port)] for device in devices]
    assert whole["result"] == "ok" and {device["result"] for device in cut} == {"unplugged"}
    assert max(device["seconds"] for device in cut) < 20, "it is not seen that they went"
    # Only the last one cannot be known: it was told to finish.
    unsure = ["may hold its keys" in device["detail"] for device in cut]
    assert unsure == [False] * (lines - 1) + [True]
    assert provisioned(tmp_path) == {written(devices[-1].mac)}
    assert not any(device.holds() for device in devices[:-1])
    again = [Device(tmp_path / f"again{n}", device.mac) for n, device in enumerate(devices[:-1])]
    code, told = provision(tmp_path, again)
    assert code == 0, told
    for device in again:
        device.unplug()
        assert device.holds()["kcv"]["0"] == KCV


def test_a_device_whose_keys_come_back_otherwise_is_left_without_any(tmp_path: Path) -> None:
    """What the firmware says of itself after the finish does not fit: it is made to forget."""
    shop(tmp_path)
    with plugged(tmp_path, Fault(prelude=LIAR)) as (device,):
        code, told = provision(tmp_path, [device])
        assert code == 1 and told["devices"][0]["result"] == "key-not-kept"
        assert "may hold" not in told["devices"][0]["detail"] and not device.holds()
