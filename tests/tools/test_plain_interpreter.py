"""Without a virtual board the interpreter behaves like the unix port's own, clock included."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tools.sim.process import INTERPRETER


def said(*arguments: str, folder: Path) -> str:
    """What a plain start of the interpreter prints, in a folder that holds nothing of ours."""
    done = subprocess.run(
        [str(INTERPRETER), *arguments], cwd=folder, env={}, capture_output=True, text=True,
        timeout=20, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_the_clock_is_the_hosts_and_counts_from_1970(tmp_path: Path) -> None:
    before = int(time.time())
    seen = int(said("-c", "import time; print(time.time())", folder=tmp_path))
    assert before <= seen <= int(time.time()) + 1


def test_sleep_takes_real_time(tmp_path: Path) -> None:
    begun = time.monotonic()
    said("-c", "import time; time.sleep_ms(150)", folder=tmp_path)
    assert time.monotonic() - begun >= 0.15


def test_a_file_runs_with_its_arguments_and_a_heap_size(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text("import gc, sys\nprint(sys.argv[1:], gc.mem_free() > 9e5)")
    assert said("-X", "heapsize=1M", "hello.py", "a", folder=tmp_path) == "['a'] True"


def test_the_c_module_and_the_libraries_can_be_imported(tmp_path: Path) -> None:
    program = (
        "import pinmac, aio, escpos, iso8583, emv, tlv, socket, select, machine\n"
        "print(len(pinmac.random(8)), socket.AF_INET, select.POLLIN)\n"
    )
    assert said("-c", program, folder=tmp_path) == "8 2 1"


def test_randomness_is_real_without_a_seed(tmp_path: Path) -> None:
    program = "import os; print(os.urandom(8))"
    assert said("-c", program, folder=tmp_path) != said("-c", program, folder=tmp_path)
