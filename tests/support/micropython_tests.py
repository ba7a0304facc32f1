"""MicroPython test files as pytest items, for whichever board runs them.

The files are never imported by CPython. Tests are plain `def test_x()` or `async def test_x()`
with bare asserts. The chosen tests of one file run in one process, under `tests/unit/runner.py`;
each is reported by itself, with MicroPython's traceback and whatever it printed.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
RUNNER = REPO / "tests" / "unit" / "runner.py"
MARK = "\x1eunit"


class UnitTestFailed(Exception):
    """A test failed inside MicroPython; the message is its traceback and its output."""


class TestFile(pytest.Collector):
    """One file of MicroPython tests; runs once, when its first test is asked for.

    A board's class says where the file stands (`source`) and runs it (`run`).
    """

    source: Path
    outcomes: dict[str, str | None] | None = None

    def run(self, names: list[str]) -> dict[str, str | None]:
        """Run the named tests of the file; each one's failure text, or None."""
        raise NotImplementedError

    def collect(self) -> Iterator["UnitTest"]:
        """The file's top-level functions that are named test_*."""
        tree = ast.parse(self.source.read_text(encoding="utf-8"), str(self.source))
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
            self.outcomes = self.run([i.name for i in self.session.items if i.parent is self])
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
        if isinstance(excinfo.value, UnitTestFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the test stands."""
        return self.parent.source, self.line, self.name


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
