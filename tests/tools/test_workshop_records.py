"""The record: it says what happened, whatever happened to it."""

import json
import resource
from pathlib import Path

import pytest

from tools.workshop.faults import (
    DUPLICATE_MAC,
    DUPLICATE_SERIAL,
    DUPLICATE_TERMINAL,
    DeviceFault,
)
from tools.workshop.records import Book, RecordError, Records, read

MACS = [f"7c:df:a1:00:00:{n:02x}" for n in range(4)]


def make(records: Records, mac: str, result: str = "ok", serial: str = "SP-000001+") -> str:
    """One try at a device, from beginning to end; its serial number."""
    attempt = records.begin("flash", "/dev/a", "lin", image="ab")
    number = records.identify(attempt, mac, serial)
    records.end(attempt, result, rate=115_200)
    return number


def results(book: Book) -> list[str]:
    return [attempt.result for attempt in book.attempts.values()]


def test_devices_are_numbered_and_keep_their_number(tmp_path: Path) -> None:
    with Records(tmp_path / "r") as records:
        assert make(records, MACS[0]) == "SP-000001"
        assert make(records, MACS[1], "unplugged") == "SP-000002"
        assert make(records, MACS[2], serial="SP-000041+") == "SP-000041"
    with Records(tmp_path / "r") as records:
        assert make(records, MACS[1]) == "SP-000002"
        assert make(records, MACS[3]) == "SP-000042"
    assert read(tmp_path / "r").made == {
        MACS[0]: "SP-000001",
        MACS[2]: "SP-000041",
        MACS[1]: "SP-000002",
        MACS[3]: "SP-000042",
    }


def test_a_repeated_mac_or_serial_is_refused(tmp_path: Path) -> None:
    with Records(tmp_path / "r") as records:
        make(records, MACS[0], serial="A7")
        attempt = records.begin("flash", "/dev/a", "lin")
        with pytest.raises(DeviceFault) as refused:
            records.identify(attempt, MACS[0], "A7")
        assert refused.value.fault is DUPLICATE_MAC
        for mac, serial in ((MACS[1], "A7"), (MACS[0], "A8")):
            with pytest.raises(DeviceFault) as refused:
                records.identify(attempt, mac, serial, again=True)
            assert refused.value.fault is DUPLICATE_SERIAL
        assert records.identify(attempt, MACS[1], "A8") == "A8"
        other = records.begin("flash", "/dev/b", "lin")
        with pytest.raises(DeviceFault, match="is being done at /dev/a"):
            records.identify(other, MACS[1], again=True)


def test_terminal_numbers_that_are_used_up_are_refused(tmp_path: Path) -> None:
    """One digit more would make a terminal number that the device refuses, once it has its key."""
    with Records(tmp_path / "r") as records:
        for mac in MACS[:2]:
            make(records, mac, serial="9+")
        attempt = records.begin("provision", "/dev/a", "lin")
        assert records.admit(attempt, MACS[0], "9+", "SP999999+") == ("9", "SP999999")
        records.end(attempt, "ok")
        attempt = records.begin("provision", "/dev/a", "lin")
        with pytest.raises(DeviceFault, match="SP1000000 is too long") as refused:
            records.admit(attempt, MACS[1], "9+", "SP999999+")
        assert refused.value.fault is DUPLICATE_TERMINAL
        assert records.admit(attempt, MACS[1], "9+", "SQ000001+") == ("10", "SQ000001")


def test_a_device_touched_again_is_made_only_when_that_ends_well(tmp_path: Path) -> None:
    with Records(tmp_path / "r") as records:
        make(records, MACS[0])
        attempt = records.begin("flash", "/dev/a", "lin")
        records.identify(attempt, MACS[0], again=True)
        assert records.book.made == {}
        records.end(attempt, "ok")
        assert records.book.made == {MACS[0]: "SP-000001"}


def test_a_record_cut_anywhere_is_repaired_and_loses_no_whole_entry(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with Records(path) as records:
        make(records, MACS[0])
        whole = path.read_bytes()
        make(records, MACS[1])
    data = path.read_bytes()
    ends = [at + 1 for at in range(len(whole), len(data)) if data[at : at + 1] == b"\n"]
    near_ends = {end + by for end in ends for by in (-2, -1, 0, 1)}
    for length in sorted({*range(len(whole), len(data), 9), *near_ends} - {len(data) + 1}):
        path.write_bytes(data[:length])
        before = read(path)
        with Records(path) as records:
            assert records.book.repairs == (not data[:length].endswith((b"\n", b"}")))
            make(records, MACS[2])
        assert path.read_bytes().startswith(data[:length])
        after = read(path)
        assert list(after.attempts)[: len(before.attempts)] == list(before.attempts)
        assert results(after)[0] == results(after)[-1] == "ok"
        assert set(results(after)[1:-1]) <= {"interrupted", "ok"}
        assert set(after.made) - {MACS[1]} == {MACS[0], MACS[2]}


def test_a_repair_that_is_cut_itself_is_repaired(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with Records(path) as records:
        make(records, MACS[0])
    torn = path.read_bytes() + b'{"at":"2026'
    path.write_bytes(torn)
    with Records(path):
        repaired = path.read_bytes()
    for length in range(len(torn), len(repaired), 3):
        path.write_bytes(repaired[:length])
        with Records(path) as records:
            assert records.book.repairs == 1
        assert results(read(path)) == ["ok"]
        assert path.read_bytes().startswith(repaired[:length])


def test_any_changed_byte_before_the_last_entry_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with Records(path) as records:
        make(records, MACS[0])
        make(records, MACS[1], "dead-flash")
    data = path.read_bytes()
    last = data.rindex(b"\n", 0, -1)
    for position in range(0, last, 7):
        for bit in (1, 32):
            changed = bytearray(data)
            changed[position] ^= bit
            path.write_bytes(changed)
            with pytest.raises(RecordError):
                read(path)


def test_a_changed_last_entry_and_a_removed_line_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with Records(path) as records:
        make(records, MACS[0], "dead-flash")
    lines = path.read_bytes().splitlines(keepends=True)
    forged = json.loads(lines[-1]) | {"result": "ok"}
    last = json.dumps(forged, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    for data in (b"".join(lines[:-1]) + last, lines[0] + lines[2], b"".join(lines[1:])):
        path.write_bytes(data)
        with pytest.raises(RecordError, match="does not fit"), Records(path):
            pass


def test_one_station_writes_and_others_read(tmp_path: Path) -> None:
    with Records(tmp_path / "r") as records:
        attempt = records.begin("flash", "/dev/a", "lin")
        with pytest.raises(RecordError, match="in use"), Records(tmp_path / "r"):
            pass
        assert results(read(tmp_path / "r")) == [""]
    with Records(tmp_path / "r") as records:
        assert records.book.attempts[attempt].result == "interrupted"


def test_a_full_disk_ends_the_station_and_what_it_tore_is_repaired(tmp_path: Path) -> None:
    path = tmp_path / "r"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Records(path) as records:
        attempt = records.begin("flash", "/dev/a", "lin")
        whole = path.read_bytes()
        # A limit on the size of files does what a full disk does: half a line is written.
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 40, before[1]))
        try:
            for _ in range(2):
                with pytest.raises(RecordError, match="full"):
                    records.end(attempt, "ok")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.stat().st_size == len(whole) + 40
    with Records(path) as records:
        assert records.book.repairs == 1
        assert records.book.attempts[attempt].result == "interrupted"
