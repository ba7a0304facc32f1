"""What the station tells a programmer process to do: one JSON line; and what a port is."""

import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.workshop.manifest import Region


def is_serial_port(port: str) -> bool:
    """False for a path at which there is something else: a file, a folder, another device."""
    try:
        file = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return not os.path.exists(port) or stat.S_ISCHR(os.stat(port).st_mode)
    try:
        return os.isatty(file)
    finally:
        os.close(file)


@dataclass(frozen=True)
class Job:
    """What to do at one port.

    task: 'flash' or 'erase'. loader: 'stub' or 'rom'. reset: esptool's --before. rates: baud rates
    to try, fastest first. flash_size: bytes. regions: as in the manifest; none when erasing.
    """

    port: str
    task: str
    loader: str
    reset: str
    rates: tuple[int, ...]
    flash_size: int
    regions: tuple[Region, ...] = ()

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, line: str) -> "Job":
        """What `to_json` wrote."""
        tree = json.loads(line)
        regions = tuple(Region(**r | {"path": Path(r["path"])}) for r in tree["regions"])
        return cls(**tree | {"rates": tuple(tree["rates"]), "regions": regions})
