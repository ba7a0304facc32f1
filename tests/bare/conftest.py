"""Collects the MicroPython test files that `units.txt` lists and runs them on the bare board.

The files `test_*.py` of this folder are CPython's own: what must be seen from outside.
"""

from collections.abc import Iterator
from pathlib import Path

import micropython_tests
import pytest
from micropython_tests import REPO, RUNNER, read_outcomes

from tools import bare

LIST = "units.txt"
LIMIT_S = 400.0  # of this machine


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the list of this folder; the files it names stand elsewhere too."""
    if file_path.name != LIST:
        return None
    return UnitList.from_parent(parent, path=file_path)


class UnitList(pytest.File):
    """The list of files."""

    def collect(self) -> Iterator["BareFile"]:
        """One collector for each file in the list."""
        for line in self.path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                file = BareFile.from_parent(self, name=Path(line).name)
                file.source = REPO / line
                yield file


class BareFile(micropython_tests.TestFile):
    """A test file that the bare board runs in one power cycle."""

    def run(self, names: list[str]) -> dict[str, str | None]:
        """Run the named tests; each one's failure text, or None."""
        text = ascii(self.source.read_text(encoding="utf-8"))
        call = f"main({str(self.source.relative_to(REPO))!r}, {text}, {names!r})\n"
        done = bare.run(RUNNER.read_text(encoding="utf-8") + "\n" + call, LIMIT_S)
        return read_outcomes(done.printed + done.error, names, done.ending)
