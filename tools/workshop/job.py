"""What the station tells a programmer process to do: one JSON line."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.workshop.manifest import Region


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
