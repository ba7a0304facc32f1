"""Collects tests/unit/test_*.py as MicroPython tests: they run in the sim board's interpreter.

The files are never imported by CPython. Tests are plain `def test_x()` or `async def test_x()`
with bare asserts. One process runs the chosen tests of one file; each is reported by itself, with
MicroPython's traceback and whatever it printed. A file that says `CLOCK = "virtual"` runs on an
empty virtual board instead, where waiting costs no time.
"""

import ast
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.sim import clock
from tools.sim.machine import Machine, SimulationError

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"
RUNNER = Path(__file__).with_name("runner.py")
MARK = "\x1eunit"
LIMIT_S = 120
VIRTUAL_LIMIT_S = 24 * 3600
VIRTUAL_PATH = "tests/unit:lib:.:.frozen"
HEAP = "heapsize=16M"


class UnitTestFailed(Exception):
    """A test failed inside MicroPython; the message is its traceback and its output."""


class InterpreterMissing(Exception):
    """The sim board's interpreter was not built."""


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector:
    """Collect a test file of this folder without importing it."""
    return UnitFile.from_parent(parent, path=module_path)


class UnitFile(pytest.File):
    """One file of MicroPython tests; runs once, when its first test is asked for."""

    outcomes: dict[str, str | None] | None = None

    def collect(self) -> Iterator["UnitTest"]:
        """The file's top-level functions that are named test_*."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith("test_"):
                test = UnitTest.from_parent(self, name=node.name)
                test.line = node.lineno - 1
                yield test

    def outcome(self, name: str) -> str | None:
        """None if the test passed, otherwise what MicroPython said."""
        if self.outcomes is None:
            chosen = [i.name for i in self.session.items if i.parent is self]
            virtual = 'CLOCK = "virtual"' in self.path.read_text(encoding="utf-8")
            run = run_file_virtually if virtual else run_file
            self.outcomes = run(self.path, chosen)
        return self.outcomes[name]


class UnitTest(pytest.Item):
    """One test function."""

    line = 0

    def runtest(self) -> None:
        """Raise UnitTestFailed with MicroPython's words unless the test passed."""
        failure = self.parent.outcome(self.name)
        if failure is not None:
            raise UnitTestFailed(failure)

    def repr_failure(self, excinfo: pytest.ExceptionInfo, style: str | None = None) -> str:
        """MicroPython's traceback stands for itself."""
        if isinstance(excinfo.value, UnitTestFailed | InterpreterMissing):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the test stands."""
        return self.path, self.line, self.name


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


def read_outcomes(output: str, names: list[str], ending: str) -> dict[str, str | None]:
    """Sort the runner's lines by test; a test without an outcome failed by `ending`."""
    outcomes: dict[str, str | None] = {}
    lines: list[str] = []
    for line in output.split("\n"):
        if not line.startswith(MARK):
            lines.append(line)
            continue
        _, what, name = line.strip().split(" ", 2)
        if what == "begin":
            lines = []
        elif what == "passed":
            outcomes[name] = None
        elif what == "end":
            outcomes[name] = "\n".join(lines).strip()
    missing = [name for name in names if name not in outcomes]
    for name in missing:
        outcomes[name] = f"The interpreter {ending} before this test's end.\n" + "\n".join(lines)
    return outcomes
