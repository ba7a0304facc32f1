"""Build the sim board's and the bare board's images from two clones, and compare every byte.

Run as `python -m tools.check.reproducible` (`make reproducible`). Two clones of what is committed
stand in folders of different names and lengths; each builds with its own make. What is fetched
(MicroPython's and mbedTLS's sources, checked by signature, and the Python packages) is shared, all
that is built is not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "build" / "sources"
VENV = ROOT / ".venv"
IMAGES = ("build/sim/micropython", "build/qemu/firmware.elf")
FOLDERS = ("one", "another-folder-with-a-longer-name")


class BuildFailed(Exception):
    """A clone does not build; the message has the end of what make said."""


def clone(folder: Path) -> None:
    """A clone of what is committed here, with the fetched sources in their place."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, folder], check=True)
    shutil.copytree(SOURCES, folder / "build" / "sources", symlinks=True)
    (folder / "build" / "sources" / ".ready").touch()


def build(folder: Path) -> None:
    """Make both images in a clone. BuildFailed."""
    made = [f"{VENV}/.ready", "build/sources/.ready"]  # shared, and not to be made again
    command = ["make", f"VENV={VENV}", *(f"--old-file={path}" for path in made), *IMAGES]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        command, cwd=folder, env=clean, capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = (done.stdout + done.stderr).strip().split("\n")
        raise BuildFailed(f"{folder}: " + "\n".join(words[-12:]))


def sections(image: Path) -> list[tuple[str, int, int]]:
    """(name, offset, size) of what an ELF file holds, as readelf lists it."""
    done = subprocess.run(
        ["readelf", "--section-headers", "--wide", image],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = []
    for line in done.stdout.split("\n"):
        number, bracket, rest = line.partition("]")
        fields = rest.split()
        if bracket and number.strip("[ ").isdigit() and len(fields) > 5 and fields[1] != "NOBITS":
            if fields[0] != "NULL":
                found.append((fields[0], int(fields[3], 16), int(fields[4], 16)))
    return found


def difference(first: Path, second: Path) -> str:
    """'' for equal images; otherwise a sentence with the first section that differs."""
    here, elsewhere = first.read_bytes(), second.read_bytes()
    if here == elsewhere:
        return ""
    others = {name: (at, size) for name, at, size in sections(second)}
    for name, at, size in sections(first):
        if name not in others:
            return f"only one has a section {name}"
        there, length = others[name]
        one, other = here[at : at + size], elsewhere[there : there + length]
        if one != other:
            pairs = zip(one, other, strict=False)
            place = next((n for n, (a, b) in enumerate(pairs) if a != b), min(size, length))
            around = one[max(0, place - 16) : place + 48]
            return f"section {name} differs from byte {place:,} on: {around!r}"
    return "the ELF headers differ, no section does"


def compare(found: dict[str, list[Path]]) -> list[str]:
    """Say each image's hash; a sentence for each that is not the same twice."""
    wrong = []
    for image, (first, second) in found.items():
        said = difference(first, second)
        digest = hashlib.sha256(first.read_bytes()).hexdigest()
        verdict = "NOT identical" if said else "identical"
        print(f"  {image}: {first.stat().st_size:,} bytes, {verdict}, {digest}")
        if said:
            wrong.append(f"{image}: {said}")
    return wrong


def main() -> None:
    """Print each image's hash; exit 1 with the first difference."""
    if subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True).stdout:
        print("  (compared is what is committed; this folder has changes besides)")
    found: dict[str, list[Path]] = {image: [] for image in IMAGES}
    with tempfile.TemporaryDirectory(prefix="suanpan-") as temporary:
        for name in FOLDERS:
            folder = Path(temporary) / name
            try:
                clone(folder)
                build(folder)
            except BuildFailed as error:
                sys.exit(f"reproducible: {error}")
            for image in IMAGES:
                kept = Path(temporary) / f"{len(found[image])}-{Path(image).name}"
                found[image].append(shutil.copyfile(folder / image, kept))
            shutil.rmtree(folder)
        wrong = compare(found)
    if wrong:
        sys.exit("reproducible: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
