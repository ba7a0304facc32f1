"""Prove from the linked code where pinmac's randomness comes from.

The linker's map says which objects went into the sim board's interpreter (the program itself is
stripped); their code says who calls whom. From pinmac's functions the way must lead to the
kernel's getrandom, through the functions named here and no others, and no weak generator may be
reachable. The bare board's image has symbols and is read itself; its source is the host's and is
named test-only. Run as `python -m tools.check.entropy`, after a build.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tools.check.pinmac import declarations

ROOT = Path(__file__).resolve().parents[2]
ENTRY = "pinmac_port_random"
SIM_MAP = ROOT / "build" / "sim" / "micropython.map"
SIM_CHAIN = (ENTRY, "__wrap_mp_hal_get_random", "mp_hal_get_random", "getrandom")
# What the chain may call beside itself: the simulator's seed (simclock.c; without one the chain
# goes on), and the way an error takes, which does not come back.
SIM_BESIDE = {"seeded_bytes", "memcpy", "__errno_location", "mp_raise_OSError"}
BARE_IMAGE = ROOT / "build" / "qemu" / "firmware.elf"
TEST_ONLY = "test_only"
# Generators whose next value can be computed. MicroPython's is in modrandom.c, whatever its name.
WEAK = {"rand", "random", "rand_r", "srand", "srandom", "drand48", "erand48", "lrand48", "nrand48",
        "mrand48", "jrand48", "yasmarang"}
WEAK_OBJECT = "modrandom"
# Behind these MicroPython takes over: exceptions, which pinmac's answers do not depend on.
NEVER_BACK = re.compile(r"mp_raise_|nlr_|m_malloc_fail|abort|exit")
_FUNCTION = re.compile(r"^[0-9a-f]+ <([^>]+)>:$")
_RELOCATION = re.compile(r"\sR_\S+\s+([\w.$]+)")
_TARGET = re.compile(r"<([\w.$]+)>$")


class EntropyError(Exception):
    """The entropy is not what it must be; the message is the sentence for the engineer."""


@dataclass
class Code:
    """Functions and the names each refers to; a name without an entry is outside (libc)."""

    calls: dict[str, set[str]] = field(default_factory=dict)
    weak: set[str] = field(default_factory=set)

    def add(self, listing: str, weak: bool = False) -> None:
        """Take the functions of one disassembly with relocations (objdump -dr)."""
        name = target = ""
        for line in [*listing.splitlines(), ""]:
            if found := _RELOCATION.search(line):
                # It says where the instruction above leads; what stood there is not linked yet.
                target = found[1].removeprefix(".text.")
                continue
            if name and target and not target.startswith("."):
                self.calls[name].add(target)
            found = _TARGET.search(line)
            target = found[1] if found else ""
            if found := _FUNCTION.match(line):
                name = found[1]
                self.calls.setdefault(name, set())
                if weak:
                    self.weak.add(name)

    def resolved(self, name: str) -> str:
        """The function that a reference reaches under the linker's --wrap."""
        if name.startswith("__real_"):
            return name.removeprefix("__real_")
        return "__wrap_" + name if "__wrap_" + name in self.calls else name

    def called(self, name: str) -> set[str]:
        """The functions that one refers to."""
        return {self.resolved(other) for other in self.calls.get(name, ()) if other != name}

    def ways(self, starts: Iterable[str]) -> dict[str, list[str]]:
        """Every function within reach → the way there. Ways end where there is no way back."""
        found = {start: [start] for start in starts}
        queue = list(found)
        while queue:
            name = queue.pop(0)
            if NEVER_BACK.match(name):
                continue
            for other in sorted(self.called(name) - set(found)):
                found[other] = [*found[name], other]
                queue.append(other)
        return found


def read_objects(map_file: Path) -> Code:
    """The code of the objects that a linker's map names; archives are libc's and mbedTLS's."""
    code = Code()
    loaded = re.findall(r"^LOAD (\S+\.o)$", map_file.read_text("utf-8"), re.MULTILINE)
    for path in loaded:
        if Path(path).is_relative_to(map_file.parent):
            done = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", path], check=True,
                                  capture_output=True, text=True)
            code.add(done.stdout, weak=Path(path).stem == WEAK_OBJECT)
    return code


def read_image(path: Path, objdump: str = "riscv64-unknown-elf-objdump") -> Code:
    """The code of a linked program that has its symbols."""
    done = subprocess.run([objdump, "-d", "--no-show-raw-insn", path], check=True,
                          capture_output=True, text=True)
    code = Code()
    code.add(done.stdout)
    return code


def check_weak(code: Code) -> None:
    """No weak generator in reach of pinmac's calls and of its port."""
    starts = {name for name in code.calls if name.startswith("pinmac_")}
    missing = set(declarations()) - starts
    if missing:
        raise EntropyError("not in the program: " + ", ".join(sorted(missing)))
    for name, way in code.ways(starts).items():
        if name in WEAK | code.weak:
            raise EntropyError("a weak generator: " + " > ".join(way))


def check_chain(code: Code, chain: tuple[str, ...], beside: set[str]) -> None:
    """The entropy comes along the chain, and by no other way."""
    for caller, called in zip(chain, chain[1:]):
        if called not in code.called(caller):
            raise EntropyError(f"{caller} does not call {called}")
    for name, way in code.ways([chain[0]]).items():
        if name not in {*chain, *beside}:
            raise EntropyError("an unknown source: " + " > ".join(way))


def check_sim(map_file: Path = SIM_MAP) -> str:
    """The sim board; a sentence that says what was found."""
    code = read_objects(map_file)
    check_weak(code)
    check_chain(code, SIM_CHAIN, SIM_BESIDE)
    return " > ".join(SIM_CHAIN) + " (with SUANPAN_SEED reproducible, for tests)"


def check_bare(image: Path = BARE_IMAGE) -> str:
    """The bare board, whose only source is named test-only."""
    code = read_image(image)
    check_weak(code)
    sources = sorted(code.called(ENTRY))
    if not sources or not all(TEST_ONLY in name for name in sources):
        raise EntropyError("sources of the bare board not named test-only: "
                           + (", ".join(sources) or "none"))
    return f"{ENTRY} > {', '.join(sources)}"


def main() -> None:
    """Print a line a board; exit with a sentence when one is wrong."""
    try:
        print("  sim   " + check_sim())
        print("  bare  " + (check_bare() if BARE_IMAGE.exists() else "not built, not checked"))
    except FileNotFoundError as error:
        sys.exit(f"entropy: {error.filename} is missing: run make build.")
    except EntropyError as error:
        sys.exit(f"entropy: {error}")


if __name__ == "__main__":
    main()
