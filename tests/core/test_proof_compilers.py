"""The core's code as compilers and binutils see it: strict, bounded, calling nothing unnamed."""

import subprocess
from pathlib import Path

import pytest

from tools.check.pinmac import COMPILERS, STRICT, compile_core, declarations, tool
from tools.check.stack import MACHINES, CallGraph, call_graph, worst_cases

C_LIBRARY = {"memcpy", "memset", "memcmp", "memmove", "memchr", "strchr"}
# libgcc's help for what a machine has no instruction for.
LIBGCC = {
    "x86-64": set(),
    "x86": {"__udivdi3", "__divdi3", "__umoddi3", "__moddi3"},
    "RV32": {"__udivdi3", "__umoddi3", "__ashldi3", "__lshrdi3", "__muldi3"},
    "Xtensa": {"__udivdi3", "__umoddi3", "__udivsi3", "__umodsi3", "__mulsi3", "__muldi3",
               "__ashldi3", "__lshrdi3"},
}
# The stack that pinmac_wipe_stack (core/secure.c) clears.
SPILLED = 2048
# Tasks on the reference board have 16 kB; what MicroPython itself needs must fit as well.
STACK_MAX = 4096


@pytest.mark.parametrize("level", [pytest.param("-O0", marks=pytest.mark.long), "-O2", "-Os"])
@pytest.mark.parametrize("machine", COMPILERS)
def test_the_core_compiles_without_a_warning(machine: str, level: str, tmp_path: Path) -> None:
    assert len(compile_core(machine, tmp_path, level)) > 10


def test_strict_means_strict(tmp_path: Path) -> None:
    """The proof can fail: every machine's compiler refuses a silent narrowing."""
    (tmp_path / "narrow.c").write_text("char narrow(int wide);\n"
                                       "char narrow(int wide) { return wide; }\n")
    for command in COMPILERS.values():
        done = subprocess.run([*command, *STRICT, "-c", "-o", "narrow.o", "narrow.c"],
                              cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode != 0 and "-Werror=conversion" in done.stderr


def undefined(machine: str, folder: Path, level: str) -> set[str]:
    """What the linked core asks of others."""
    objects = compile_core(machine, folder, level)
    emulation = ["-m", "elf_i386"] if machine == "x86" else (
        ["-m", "elf32lriscv"] if machine == "RV32" else [])
    subprocess.run([tool(machine, "ld"), *emulation, "-r", "-o", "whole.o", *objects], check=True,
                   cwd=folder)
    done = subprocess.run([tool(machine, "nm"), "-u", "whole.o"], cwd=folder, check=True,
                          capture_output=True, text=True)
    return {line.split()[-1] for line in done.stdout.splitlines()} - {"_GLOBAL_OFFSET_TABLE_"}


@pytest.mark.parametrize("level", [pytest.param("-O0", marks=pytest.mark.long), "-O2"])
@pytest.mark.parametrize("machine", COMPILERS)
def test_the_core_calls_the_port_and_the_memory_functions(machine: str, level: str,
                                                           tmp_path: Path) -> None:
    """No allocation, no printing, no clock: what is not the port's is named here."""
    asked = undefined(machine, tmp_path, level)
    others = {name for name in asked if not name.startswith("pinmac_port_")}
    assert others <= C_LIBRARY | LIBGCC[machine], others - C_LIBRARY - LIBGCC[machine]
    assert asked & {"pinmac_port_random", "pinmac_port_secret"}


@pytest.mark.parametrize("level", [pytest.param("-O0", marks=pytest.mark.long), "-O2", "-Os"])
@pytest.mark.parametrize("machine", ["RV32", "x86-64"])
def test_the_call_graph_has_no_cycle_and_no_pointer(machine: str, level: str) -> None:
    graph = call_graph(machine, level)
    assert graph.faults() == []
    assert set(declarations()) <= set(graph.frames)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_stack_has_a_bound(machine: str) -> None:
    for name, (size, path) in worst_cases(machine).items():
        assert size <= STACK_MAX, f"{name}: {size} bytes by {' > '.join(path)}"


@pytest.mark.parametrize("machine", MACHINES)
def test_the_wipe_reaches_deeper_than_any_cipher(machine: str) -> None:
    """What pinmac_wipe_stack clears covers the deepest path of every call beside it."""
    graph = call_graph(machine, "-O2")
    wipe = graph.frames.pop("pinmac_wipe_stack")
    assert wipe >= SPILLED
    for name in declarations():
        size, path = graph.deepest(name)
        assert size <= SPILLED, f"{name}: {size} bytes by {' > '.join(path)}"


FAULTY = """
int down(int n);
static int up(int n) { return n > 0 ? down(n - 1) + 1 : 0; }
int down(int n) { volatile int kept = up(n - 1); return kept + 1; }
int through(int (*what)(int)) { return what(1) + 1; }
int sized(int n) { volatile char many[n]; many[0] = 1; return many[0]; }
"""


def test_a_cycle_a_pointer_and_a_growing_frame_are_seen(tmp_path: Path) -> None:
    """The proof can fail."""
    (tmp_path / "faulty.c").write_text(FAULTY)
    subprocess.run(["gcc", "-O0", "-c", "-fcallgraph-info=su", "faulty.c"], cwd=tmp_path,
                   check=True)
    graph = CallGraph()
    graph.read((tmp_path / "faulty.ci").read_text())
    assert graph.faults() == [
        "down calls faulty.c:up calls down", "faulty.c:up calls down calls faulty.c:up",
        "sized has a frame of run-time size", "through calls through a pointer"]
