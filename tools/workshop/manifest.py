"""The images of a release: what goes where, with a SHA-256 each.

The form is ESP-IDF's `flasher_args.json` (`flash_files`: offset → file, `flash_settings`), to
which `sha256` (offset → hex) is added. `python -m tools.workshop.manifest FLASHER_ARGS_JSON`
writes `workshop.json` beside it, from the files as they are at that moment.
"""

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.workshop.faults import IMAGE_CORRUPT, IMAGE_MISSING, DeviceFault

CHIP = "esp32s3"
SIZES = {f"{n}MB": n << 20 for n in (1, 2, 4, 8, 16, 32, 64, 128)}


@dataclass(frozen=True)
class Region:
    """One file and where it goes. offset and size in bytes; sha256 in hex."""

    offset: int
    path: Path
    size: int
    sha256: str

    def read(self) -> bytes:
        """The file's bytes; DeviceFault when they are not there or not those of the manifest."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise DeviceFault(IMAGE_MISSING, f"{self.path}: {error.strerror}") from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise DeviceFault(IMAGE_CORRUPT, f"{self.path}: its SHA-256 is another")
        return data


@dataclass(frozen=True)
class Manifest:
    """A release: its regions by offset, the flash size in bytes that the board must have."""

    path: Path
    regions: tuple[Region, ...]
    flash_size: int

    @property
    def sha256(self) -> str:
        """One hash for the whole image: that of its lines `offset sha256`."""
        lines = "".join(f"{r.offset:#x} {r.sha256}\n" for r in self.regions)
        return hashlib.sha256(lines.encode()).hexdigest()

    def hashes(self) -> dict[str, str]:
        """Offset in hex → SHA-256 of what is written there."""
        return {f"{r.offset:#x}": r.sha256 for r in self.regions}


def load(path: Path) -> Manifest:
    """Read a manifest and check all its files.

    DeviceFault IMAGE_MISSING for a file that is not there; IMAGE_CORRUPT for a wrong hash, a file
    without one, regions that overlap or leave the flash, another chip's images.
    """
    tree = _json(path)
    chip = tree.get("extra_esptool_args", {}).get("chip", CHIP)
    if chip != CHIP:
        raise DeviceFault(IMAGE_CORRUPT, f"{path}: images for {chip}, not for {CHIP}")
    try:
        flash_size = SIZES[tree["flash_settings"]["flash_size"]]
        hashes = {int(offset, 0): digest for offset, digest in tree.get("sha256", {}).items()}
        files = sorted((int(offset, 0), name) for offset, name in tree["flash_files"].items())
        regions = tuple(_region(path, offset, name, hashes) for offset, name in files)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DeviceFault(IMAGE_CORRUPT, f"{path}: {type(error).__name__}: {error}") from error
    _check_places(path, regions, flash_size)
    return Manifest(path, regions, flash_size)


def _json(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DeviceFault(IMAGE_MISSING, f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise DeviceFault(IMAGE_CORRUPT, f"{path}: not JSON: {error}") from error
    if not isinstance(tree, dict):
        raise DeviceFault(IMAGE_CORRUPT, f"{path}: not a JSON object")
    return tree


def _region(path: Path, offset: int, name: str, hashes: dict[int, str]) -> Region:
    if offset not in hashes:
        raise DeviceFault(
            IMAGE_CORRUPT,
            f"{path}: no SHA-256 for {name}; python -m tools.workshop.manifest {path} adds them",
        )
    region = Region(offset, path.parent / name, 0, hashes[offset])
    return Region(offset, region.path, len(region.read()), region.sha256)


def _check_places(path: Path, regions: tuple[Region, ...], flash_size: int) -> None:
    """Flash is erased by sectors of 4,096 bytes: each region must have its own ones."""
    end = 0
    if not regions:
        raise DeviceFault(IMAGE_CORRUPT, f"{path}: no files")
    for region in regions:
        if region.offset % 4096 or region.offset < end or not region.size:
            raise DeviceFault(
                IMAGE_CORRUPT, f"{region.path}: empty, not on a sector, or over another"
            )
        end = -(-(region.offset + region.size) // 4096) * 4096
    if end > flash_size:
        raise DeviceFault(IMAGE_CORRUPT, f"{path}: {end} bytes for a flash of {flash_size}")


def seal(path: Path) -> Path:
    """Write `workshop.json` beside a flasher_args.json, with the SHA-256 of each file."""
    tree = _json(path)
    try:
        tree["sha256"] = {
            offset: hashlib.sha256((path.parent / name).read_bytes()).hexdigest()
            for offset, name in tree["flash_files"].items()
        }
    except OSError as error:
        raise DeviceFault(IMAGE_MISSING, f"{error.filename}: {error.strerror}") from error
    target = path.parent / "workshop.json"
    target.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")
    return target


if __name__ == "__main__":
    try:
        print(seal(Path(sys.argv[1])))
    except (IndexError, DeviceFault) as failure:
        sys.exit(f"manifest: {failure}")
