"""Compiles pinmac's core with the fake port into shared libraries.

A flavour is a set of compiler flags. `SUANPAN_CORE_FLAVOUR` names the one that the tests of this
folder use (`plain` without it), so the same tests run plain, counted and under sanitizers.
"""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from tools.check.pinmac import LIBRARY, ROOT, STRICT, core_files

HERE = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "core"
FLAVOURS = {
    "plain": (*STRICT, "-O2"),
    "small": (*STRICT, "-Os"),
    "unoptimised": (*STRICT, "-O0"),
    "coverage": (*STRICT, "-O0", "--coverage"),
    # Not -Wconversion: gcc reports the sanitizer's own checks.
    "sanitized": ("-std=c99", "-O1", "-g", "-fsanitize=address,undefined",
                  "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
}


COMMON = ("-fPIC", "-shared", f"-I{LIBRARY}", f"-I{HERE}")


def _build(output: Path, target: Path, sources: list[Path], flags: tuple[str, ...]) -> None:
    subprocess.run(["gcc", *flags, "-o", output, *sources, *sorted(HERE.glob("*.c"))], check=True,
                   cwd=target.parent)
    output.replace(target)


def _fingerprint(words: tuple[str, ...]) -> str:
    digest = hashlib.sha256("\0".join(words).encode())
    for path in sorted([*LIBRARY.rglob("*.[ch]"), *HERE.glob("*.[ch]")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def altered(file: str, right: str, wrong: str, folder: Path, level: str = "-O2") -> Path:
    """A library of the core with one line of one file made wrong, in `folder`."""
    text = (LIBRARY / "core" / file).read_text("utf-8")
    assert text.count(right) == 1, f"{file} does not read so any more"
    (folder / file).write_text(text.replace(right, wrong), "utf-8")
    sources = [folder / file if path.name == file else path for path in core_files()]
    _build(folder / "altered.so", folder / "altered.so", sources, (
        "-std=c99", level, "-iquote", str(LIBRARY / "core"), *COMMON))
    return folder / "altered.so"


def library(flavour: str | None = None) -> Path:
    """The shared library of a flavour, built if no such build is there.

    It lies in the folder `SUANPAN_CORE_BUILD` (build/core without it), with the notes and counts
    of a counted build.
    """
    flavour = flavour or os.environ.get("SUANPAN_CORE_FLAVOUR", "plain")
    flags = (*FLAVOURS[flavour], *COMMON)
    folder = Path(os.environ.get("SUANPAN_CORE_BUILD", BUILD))
    target = folder / f"{flavour}-{_fingerprint(flags)}.so"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            # gcc puts the notes of a counted build beside its output: there they stay.
            output = target.with_suffix("") if "--coverage" in flags else Path(work) / "core"
            _build(output, target, core_files(), flags)
    return target
