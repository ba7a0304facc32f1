"""libFuzzer on pinmac's core: key blocks, DUKPT, RSA and PIN entry, under sanitizers.

Each harness beside this file holds invariants. `make test` gives each a fixed seed and number of
runs; `make test-long` a quarter of an hour, an hour in all, or what `SUANPAN_FUZZ_SECONDS` says.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.core.key_blocks import BAD_HEADERS, GOOD_HEADERS
from tools.check.pinmac import LIBRARY, ROOT, core_files

HERE = Path(__file__).resolve().parent
PORT = ROOT / "tests" / "core"
HARNESSES = ("key_block", "dukpt", "rsa", "pin")
RUNS = {"key_block": 1500, "dukpt": 250, "rsa": 800, "pin": 750}
LONGEST = 800
QUARTER_HOUR_S = 900
CLANG = ("clang", "-std=gnu99", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
         "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all")


def compiled(source: Path, folder: Path) -> Path:
    """An object of one file. What it includes is the core's, wherever the file lies."""
    target = folder / f"{source.stem}.o"
    # The fuzzer's main function belongs to the program alone.
    flags = [flag.replace("fuzzer,", "fuzzer-no-link,") for flag in CLANG]
    subprocess.run([*flags, "-iquote", LIBRARY / "core", f"-I{LIBRARY}", f"-I{PORT}", "-c",
                    "-o", target, source], check=True)
    return target


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The core and the fake port, file by file."""
    folder = tmp_path_factory.mktemp("core")
    return {path.name: compiled(path, folder)
            for path in [*core_files(), PORT / "pinmac_port_fake.c"]}


def built(name: str, folder: Path, objects: dict[str, Path]) -> Path:
    """A harness with the core and the fake port, as a program."""
    subprocess.run([*CLANG, f"-I{LIBRARY}", f"-I{PORT}", "-o", folder / name,
                    HERE / f"pinmac_{name}.c", *objects.values()], check=True)
    return folder / name


def seeds(name: str) -> list[bytes]:
    """Inputs to begin with, in the form that the harness reads."""
    if name == "key_block":
        # How, units of data, length of the header, make its length good; data; header.
        key = bytes([0, 128, *range(16)])
        return [bytes([how, units, len(header) - 13, 1]) + key.ljust(units * unit, b"\xA5")
                + b"DB"[how - 3:how - 2] + b"0000" + header[2:].encode("latin-1")
                for header in [*GOOD_HEADERS.values(), *BAD_HEADERS.values()]
                if header[1] == "#" and len(header) < 140
                for how, units, unit in ((3, 2, 16), (4, 3, 8))]
    if name == "dukpt":
        load = bytes([1]) + bytes.fromhex("FFFF9876543210E00000") + bytes(3)
        both = bytes([0x00]) + load + bytes([0x30]) + load
        one = both + bytes([1, 3, 4, 0, 1, 3, 5, 0, 1, 3])
        return [one, one + bytes([0x11, 0x13, 0x14, 1, 0x11, 0x13, 0x25, 1, 0x26, 1, 0, 9, 1]),
                bytes([0]) + bytes.fromhex("01FFFF9876543210FFF400") + bytes([0, 0, 1, 1, 3, 1])]
    if name == "rsa":
        return [bytes([exponent, shape, size]) + bytes(range(1, 9))
                + bytes((7 * i + size) % 256 for i in range(2 * (size + 48)))
                for exponent in (0, 1) for shape in (0x2B, 0x2F, 0x3B) for size in (16, 80, 208)]
    enter = bytes([0, 4, 12, 1, 1, 1, 2, 2, 3, 1, 4])
    pan = bytes([16, *range(16)])
    return [enter + bytes([6, slot, form + 1]) + pan for slot in range(6) for form in range(5)] + [
        enter + bytes([7, 1]), enter + bytes([3, 4, 5, 8, 255, 8, 10, 4])]


def corpus(name: str, folder: Path) -> Path:
    """The seeds as files of a folder."""
    path = folder / f"{name}.corpus"
    path.mkdir()
    for number, seed in enumerate(seeds(name)):
        (path / str(number)).write_bytes(seed)
    return path


def fuzz(program: Path, inputs: Path, *limits: str, timeout: float
         ) -> "subprocess.CompletedProcess[str]":
    """Run libFuzzer; what it finds is written beside the inputs."""
    command = [program, "-seed=20240601", f"-max_len={LONGEST}", "-len_control=0", "-timeout=20",
               "-rss_limit_mb=1024", f"-artifact_prefix={inputs.parent}/", *limits, inputs]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.mark.parametrize("name", HARNESSES)
def test_some_inputs(name: str, objects: dict[str, Path], tmp_path: Path) -> None:
    program = built(name, tmp_path, objects)
    done = fuzz(program, corpus(name, tmp_path), f"-runs={RUNS[name]}", timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Done {RUNS[name]} runs" in done.stderr


# Harness → file of the core, a right line in it and a wrong one: the harness must see it.
FAULTS = {
    "a block whose MAC is wrong is taken": (
        "key_block", "tr31.c", "open_data(block + header, data_size, unit, clear) && take",
        "(open_data(block + header, data_size, unit, clear) || true) && take"),
    "an optional block is read past the end": (
        "key_block", "tr31.c", "size >= header && size <= room", "size >= header"),
    "a refused block costs a key": (
        "key_block", "blocks.c", "    return result == PINMAC_OK ? judge_block",
        "    if (result == PINMAC_BAD_BLOCK) {\n        pinmac_erase(kbpk_slot);\n    }\n"
        "    return result == PINMAC_OK ? judge_block"),
    "a state is rolled back": (
        "dukpt", "dukpt_seal.c", "< seen ? PINMAC_ROLLED_BACK", "> seen ? PINMAC_ROLLED_BACK"),
    "a result is not reduced": (
        "rsa", "rsa.c", "uint32_t smaller = 0 - (subtract_modulus(work, reduced, number) & ~top);",
        "uint32_t smaller = 0 - (subtract_modulus(work, reduced, number) | ~top);"),
    "an entry outlives its block": (
        "pin", "entry.c", "memcpy(block, clear_block, *size);\n    }\n    end_entry();",
        "memcpy(block, clear_block, *size);\n        end_entry();\n    }"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str, objects: dict[str, Path], tmp_path: Path) -> None:
    """The proof can fail: the same harness on a core with one line made wrong."""
    name, file, right, wrong = FAULTS[fault]
    text = (LIBRARY / "core" / file).read_text("utf-8")
    assert text.count(right) == 1, f"{file} does not read so any more"
    (tmp_path / file).write_text(text.replace(right, wrong), "utf-8")
    program = built(name, tmp_path, objects | {file: compiled(tmp_path / file, tmp_path)})
    done = fuzz(program, corpus(name, tmp_path), "-runs=20000", timeout=200)
    assert re.search("not so:|AddressSanitizer|runtime error", done.stderr), done.stderr[-2000:]


@pytest.mark.long
@pytest.mark.timeout(2 * QUARTER_HOUR_S)
@pytest.mark.parametrize("name", HARNESSES)
def test_an_hour_in_all(name: str, objects: dict[str, Path], tmp_path: Path) -> None:
    """A quarter of an hour each, from a new seed every time."""
    seconds = int(os.environ.get("SUANPAN_FUZZ_SECONDS", QUARTER_HOUR_S))
    program, inputs = built(name, tmp_path, objects), corpus(name, tmp_path)
    command = [program, f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=60",
               f"-artifact_prefix={tmp_path}/", inputs]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                          timeout=seconds + 200, check=False)
    said = done.stderr[-3000:]
    assert done.returncode == 0 and re.search(r"Done \d+ runs", done.stderr), said
    print(re.findall(r"Done \d+ runs[^\n]*", done.stderr)[-1])
