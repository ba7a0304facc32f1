"""Collects tests/unit/test_*.py as MicroPython tests: they run in the sim board's interpreter.

One process runs the chosen tests of one file. A file that says `CLOCK = "virtual"` runs on an
empty virtual board instead, where waiting costs no time.
"""

import os
import subprocess
import tempfile
from pathlib import Path

import micropython_tests
import pytest
from micropython_tests import REPO, RUNNER, read_outcomes

from tools.sim import clock
from tools.sim.machine import Machine, SimulationError

INTERPRETER = REPO / "build" / "sim" / "micropython"
LIMIT_S = 120
VIRTUAL_LIMIT_S = 24 * 3600
VIRTUAL_PATH = "tests/unit:lib:.:.frozen"
HEAP = "heapsize=16M"


class InterpreterMissing(micropython_tests.UnitTestFailed):
    """The sim board's interpreter was not built."""


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector:
    """Collect a test file of this folder without importing it."""
    return UnitFile.from_parent(parent, path=module_path)


class UnitFile(micropython_tests.TestFile, pytest.File):
    """A test file of this folder."""

    @property
    def source(self) -> Path:
        """The file itself."""
        return self.path

    def run(self, names: list[str]) -> dict[str, str | None]:
        """Run the named tests; each one's failure text, or None."""
        virtual = 'CLOCK = "virtual"' in self.path.read_text(encoding="utf-8")
        return (run_file_virtually if virtual else run_file)(self.path, names)


def run_file(path: Path, names: list[str]) -> dict[str, str | None]:
    """Run the named tests of one file in one process; each one's failure text, or None."""
    if not INTERPRETER.exists():
        raise InterpreterMissing(f"{INTERPRETER} is not there: run 'make build' first.")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    environment["MICROPYPATH"] = "lib:.:.frozen"
    command = [str(INTERPRETER), "-X", HEAP, str(RUNNER), str(path.relative_to(REPO)), *names]
    try:
        done = subprocess.run(
            command, cwd=REPO, env=environment, capture_output=True, timeout=LIMIT_S, check=False
        )
        output, ending = done.stdout + done.stderr, f"ended with status {done.returncode}"
    except subprocess.TimeoutExpired as error:
        output, ending = (error.stdout or b""), f"was stopped after {LIMIT_S} s"
    return read_outcomes(output.decode("utf-8", "replace"), names, ending)


def run_file_virtually(path: Path, names: list[str]) -> dict[str, str | None]:
    """As `run_file`, on an empty virtual board and its virtual clock."""

    async def story(folder: Path) -> str:
        program = [str(RUNNER), str(path), *names]
        machine = Machine(folder, program=program, path=VIRTUAL_PATH, once=True)
        await machine.power_on()
        try:
            await machine.off(VIRTUAL_LIMIT_S)
        except SimulationError:
            pass  # its words are in the output
        finally:
            await machine.stop()
        return (folder / "console.log").read_text(encoding="utf-8", errors="replace")

    with tempfile.TemporaryDirectory() as folder:
        output = clock.run(story(Path(folder)))
    return read_outcomes(output, names, "ended")
