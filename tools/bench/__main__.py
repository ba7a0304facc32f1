"""Measures, prints one table and writes `build/bench.json`. Run as `python -m tools.bench`."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools import bare
from tools.bench import calls, counts, foreign, seconds, tap, workshop
from tools.bench.aims import Aim, shown
from tools.check import memory
from tools.check.footprint import FLAGS, MACHINE, Footprint, footprints, total
from tools.check.pinmac import core_files
from tools.check.stack import StackError, worst_cases

PURE = Path(__file__).with_name("pure_pin_block.py")
PURE_CHECK = """
KEY = bytes.fromhex("807A23AD32B36D457AE91FDF927570EA")
assert pin_block(KEY, "123456", "6222021234567890123") == bytes.fromhex("BDFD42DCF960C8B6")
"""
PURE_NAME = "PIN block, pure MicroPython"
PURE_ROWS = [(PURE_NAME, "", 'pin_block(KEY, "123456", "6222021234567890123")')]
OBJECTS = counts.ROOT / "build" / "qemu" / "pinmac" / "core"
REPORT = counts.ROOT / "build" / "bench.json"
TOOLS = ("valgrind", bare.EMULATOR, "riscv64-unknown-elf-gcc", "gcc")
WIDTH = 112
# Functions whose name in the core is longer than pinmac_ and their own.
IN_C = {"pin_len": "pin_length"}

# What tools/check/memory.py measures, in the table's words.
TERMINAL = {
    "flash": "flash (bare board's image)",
    "ram": "RAM (the same, without heap)",
    "heap_idle": "heap used at idle",
    "heap_sale": "heap used at the peak of a sale",
    "free_block_idle": "largest free block at idle",
    "free_block_sale": "largest free block during a sale",
}

Counts = dict[str, dict[str, int]]


@dataclass
class Report:
    """All figures of one run: `build/bench.json` in the making."""

    instructions: Counts
    stack: dict[str, int]
    comparison: Counts
    time_ratios: dict[str, float]
    core: dict[str, Footprint]
    terminal: dict[str, int]
    flashing: workshop.Overhead
    taps: dict[str, tap.Tap]

    def aims(self) -> list[Aim]:
        """The aims, from the figures."""
        block, mac = self.instructions[calls.PIN_BLOCK], self.instructions[calls.MAC_CUP]
        pure, core = self.comparison[PURE_NAME], total(self.core)
        dukpt = self.comparison[foreign.DUKPT]["host"]
        return [
            Aim("PIN block, times fewer than pure, RISC-V",
                round(pure["riscv"] / block["riscv"], 1), 100, True),
            Aim("PIN block, times fewer than pure, host",
                round(pure["host"] / block["host"], 1), 100, True),
            Aim("DUKPT keys, times fewer than dukpt, host",
                round(dukpt / self.instructions[calls.DUKPT_KEYS]["host"], 1), 20, True),
            Aim("300-byte MAC_CUP and PIN block, RISC-V",
                mac["riscv"] + block["riscv"], 1_000_000, False),
            Aim("core's code, bytes on RISC-V", core.code, 24 * 1024, False),
            Aim("core's RAM, bytes on RISC-V", core.ram, 4 * 1024, False),
            Aim("pos flash over esptool alone, 8 chips", self.flashing.ratio, workshop.AIM, False),
            # Without fDDA and the PN532's driver, which the bare board does not run.
            Aim("a tap: our own ms at 240 MHz",
                max(t.own_ms for t in self.taps.values()), tap.AIM_MS, False),
            Aim("a tap's heap, bytes", max(t.heap for t in self.taps.values()), tap.AIM_HEAP,
                False),
        ]  # fmt: skip

    def as_json(self) -> str:
        """The report as it is written."""
        aims = [asdict(aim) | {"met": aim.met} for aim in self.aims()]
        files = self.core | {"all": total(self.core)}
        core = {name: asdict(file) for name, file in files.items()}
        whole = asdict(self) | {"core": core, "aims": aims, "tools": versions()}
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def on_both(prelude: str, rows: list[counts.Row]) -> Counts:
    """Row name → {"host": instructions, "riscv": instructions}, in the two MicroPythons."""
    host = counts.on_host(counts.SIM, prelude, rows)
    riscv = counts.on_bare_board(prelude, rows)
    return {name: {"host": host[name], "riscv": riscv[name]} for name in host}


def compare() -> Counts:
    """The work of pinmac done otherwise; CPython's runs have no RISC-V figure."""
    pure = on_both(PURE.read_text(encoding="utf-8") + PURE_CHECK, PURE_ROWS)
    others = counts.on_host(Path(sys.executable), foreign.PRELUDE, foreign.ROWS)
    return pure | {name: {"host": count} for name, count in others.items()}


def stacks() -> dict[str, int]:
    """Function of the module → bytes of the core's stack at worst, built as the bare board is."""
    worst = worst_cases(MACHINE, *FLAGS)
    named = {name.removeprefix("pinmac_"): size for name, (size, _) in worst.items()}
    return {name: named[IN_C.get(name, name)] for name in sorted(calls.functions())}


def versions() -> dict[str, str]:
    """What counted: figures are comparable only under the same tools."""
    return {
        tool: subprocess.run(
            [tool, "--version"], capture_output=True, text=True, check=True
        ).stdout.split("\n")[0]
        for tool in TOOLS
    }


def measure() -> Report:
    """Everything; raises the errors of what it uses."""
    objects = [OBJECTS / f"{source.stem}.o" for source in core_files()]
    return Report(
        instructions=on_both(calls.PRELUDE, calls.CALLS),
        stack=stacks(),
        comparison=compare(),
        time_ratios=seconds.ratios(),
        core=footprints(objects),
        terminal=memory.image() | memory.measured(),
        flashing=workshop.measure(),
        taps=tap.measure(),
    )


def show(report: Report) -> Table:
    """The one table, in blocks."""
    table = Table(title="Suanpan, measured")
    table.add_column("", no_wrap=True)
    for column in ("host", "RISC-V", "core's stack"):
        table.add_column(column, justify="right", no_wrap=True)

    def block(title: str, *columns: str) -> None:
        table.add_section()
        table.add_row(title, *columns, style="bold")

    block("Calls", "instructions", "instructions", "bytes, RISC-V")
    for name, figure in report.instructions.items():
        stack = report.stack[calls.function(name)]
        table.add_row(name, f"{figure['host']:,}", f"{figure['riscv']:,}", f"{stack:,}")
    block("The same work otherwise", "instructions", "instructions")
    for name, figure in report.comparison.items():
        riscv = f"{figure['riscv']:,}" if "riscv" in figure else "–"
        table.add_row(name, f"{figure['host']:,}", riscv)
    block("Time, as a multiple of pinmac's in this run")
    for name, ratio in report.time_ratios.items():
        table.add_row(name, f"× {ratio:.2f}")
    block("Workshop: eight chips at once", "seconds")
    flashing = report.flashing
    table.add_row("esptool write-flash alone", f"{flashing.written:.2f}")
    table.add_row("esptool write-flash and verify-flash", f"{flashing.esptool:.2f}")
    table.add_row("pos flash", f"{flashing.pos:.2f}")
    block("Core on RISC-V, bytes", "code", "RAM")
    for name, file in (report.core | {"all": total(report.core)}).items():
        table.add_row(name, f"{file.code:,}", f"{file.ram:,}")
    block("Terminal on a 32-bit machine, bytes", f"of {memory.HEAP_KB} KB of heap")
    for name, size in report.terminal.items():
        table.add_row(TERMINAL[name], f"{size:,}")
    block("A tap, modelled (tools/bench/tap.py)", "instructions", "ours, ms", "in the field, ms")
    for name, one in report.taps.items():
        table.add_row(
            f"{name}: {one.apdus} APDUs, {one.sent}+{one.received} B, {one.air_ms:.1f} ms on air",
            f"{one.instructions:,}", f"{one.own_ms:.1f}", f"{one.field_ms:.1f}",
        )  # fmt: skip
        table.add_row(f"{name}: when the card is gone", f"{one.after:,}", f"{one.after_ms:.1f}")
    block("Aims", "figure", "aim", "verdict")
    for aim in report.aims():
        style = "green" if aim.met else "red"
        table.add_row(aim.what, shown(aim.figure), aim.target, aim.verdict, style=style)
    return table


def main() -> None:
    """Measure, show, write."""
    report = measure()
    REPORT.write_text(report.as_json(), encoding="utf-8")
    # No figure is ever cut: a narrow terminal breaks the lines instead.
    console = Console(width=WIDTH)
    console.print(show(report))
    console.print(f"Written to {REPORT.relative_to(counts.ROOT)}")


if __name__ == "__main__":
    try:
        main()
    except (bare.BareBoardMissing, counts.BenchError, StackError, memory.MemoryFault,
            tap.TapError) as error:
        sys.exit(f"bench: {error}")
    except FileNotFoundError as error:
        sys.exit(f"bench: {error.filename} is missing: 'make bench' installs it.")
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench: {error.cmd[0]}: {error.stderr}")
