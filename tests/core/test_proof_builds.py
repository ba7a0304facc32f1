"""The tests of the core, run again: with every branch counted, and under sanitizers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.pinmac_build import FLAVOURS, HERE
from tests.core.pinmac_coverage import counted, gaps, measured
from tools.check.pinmac import LIBRARY, ROOT, core_files

SUITE = sorted(HERE.glob("test_core_*.py"))
LIMIT_S = 200


def run_suite(flavour: str, folder: Path, **environment: str) -> None:
    """The suite in a process of its own, on a build of this flavour."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         "-k", "not tireless", *SUITE],  # a day of tries adds no branch
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        env=clean | {"SUANPAN_CORE_FLAVOUR": flavour, "SUANPAN_CORE_BUILD": str(folder)}
        | environment)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_every_branch_of_the_core_is_taken(tmp_path: Path) -> None:
    run_suite("coverage", tmp_path)
    records = counted(tmp_path)
    names, branches = measured(records, LIBRARY / "core")
    assert names >= {path.name for path in core_files()} and branches > 900
    missing = gaps(records, LIBRARY / "core")
    assert not missing, f"{len(missing)} gaps:\n" + "\n".join(missing)


def test_a_branch_not_taken_is_seen(tmp_path: Path) -> None:
    """The proof can fail: half of one condition stays untried, one line never runs."""
    source = tmp_path / "half.c"
    source.write_text("int main(int n, char **v) {\n  (void)v;\n  if (n > 0 && n < 9) {\n"
                      "    return 0;\n  }\n  return 1;\n}\n")
    subprocess.run(["gcc", "-O0", "--coverage", "-o", tmp_path / "half", source], check=True,
                   cwd=tmp_path)
    subprocess.run([tmp_path / "half"], check=True)
    assert gaps(counted(tmp_path), tmp_path) == [
        "half.c:3 branch 1, 3 of 4 never taken", "half.c:6 never ran (main)"]


def sanitizer_environment() -> dict[str, str]:
    """What puts gcc's AddressSanitizer into a Python that was not built with it."""
    named = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True,
                           check=True).stdout.strip()
    # Python keeps some memory until its end; exact buffers need its malloc to be the plain one.
    return {"LD_PRELOAD": str(Path(named).resolve()), "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": "print_stacktrace=1"}


def test_the_suite_under_address_and_undefined_sanitizers(tmp_path: Path) -> None:
    run_suite("sanitized", tmp_path, **sanitizer_environment())


@pytest.mark.parametrize(
    ("fault", "words"),
    [("return data[size];", "AddressSanitizer"),
     ("return (int)(data[0] << (int)(size + 30));", "runtime error: shift exponent")],
)
def test_the_sanitizers_see_a_fault(fault: str, words: str, tmp_path: Path) -> None:
    """The proof can fail: a byte too far, a shift too wide, through the same face."""
    source = tmp_path / "fault.c"
    source.write_text("#include <stddef.h>\n#include <stdint.h>\n"
                      f"int fault(const uint8_t *data, size_t size) {{ {fault} }}\n")
    subprocess.run(["gcc", *FLAVOURS["sanitized"], "-fPIC", "-shared", "-o",
                    tmp_path / "fault.so", source], check=True)
    script = ("import ctypes, sys; f = ctypes.CDLL(sys.argv[1]).fault;"
              "from tests.core.pinmac_core import exact; f(exact(bytes(24)), ctypes.c_size_t(24))")
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "fault.so"], cwd=ROOT,
                          env=os.environ | sanitizer_environment(), capture_output=True, text=True,
                          check=False)
    assert done.returncode != 0 and words in done.stderr, done.stderr[-2000:]
