"""Check each board's partitions.csv by Espressif's own rules, and by ours.

Espressif's are those of ESP-IDF's gen_esp32part, which the package esp-idf-defs carries: alignment
(64 KB for application slots, 4 KB else), overlaps, known types and flags, unique names, the size
of otadata, room behind the table, the size of the flash. Ours: what the firmware asks for is
there, what must be encrypted is, and an image fits its slot. Run as
`python -m tools.check.partitions`.
"""

import sys
import tomllib
from pathlib import Path

from esp_idf_defs.partitions import PartitionTable

from tools.check.boards import espressif

TABLE_OFFSET = 0x10000
APP, DATA = 0, 1
OTA, NVS, NVS_KEYS, COREDUMP = 0, 2, 4, 3
OTA_0 = 0x10
# Subtypes that an application may use for its own (ESP-IDF, "Partition Tables": 0x40-0xFE less
# those with a name; IDF 5.4 names 0x80-0x83 and 0x90).
OWN_SUBTYPES = {*range(0x40, 0xFF)} - {0x80, 0x81, 0x82, 0x83, 0x90}
SECRET = ("keys", "journal", "data", "coredump", "pinmac", "nvs_keys")
PLAIN = ("nvs", "starts", "fonts")
# MicroPython, mbedTLS and ESP-IDF without our frozen code: the ESP32_GENERIC_S3 image of
# MicroPython 1.25 is some 1.7 MB; TLS 1.3 and pinmac come on top.
BASE_BYTES = 1_900_000
# Frozen code takes more than its .mpy: constants are objects, and names are interned.
FROZEN_FACTOR = 1.3


def read(path: Path) -> PartitionTable:
    """The table; esp_idf_defs' InputError (a RuntimeError) for a line that is none."""
    return PartitionTable.from_csv(path.read_text(encoding="utf-8"), TABLE_OFFSET)


def by_gen_esp32part(table: PartitionTable, flash_bytes: int) -> list[str]:
    """What gen_esp32part refuses, in its own words."""
    try:
        table.verify(TABLE_OFFSET, "v2")
        table.verify_size_fits(flash_bytes)
        table.to_binary()
    except RuntimeError as error:
        return [str(error)]
    return []


def ours(table: PartitionTable, image_bytes: int) -> list[str]:
    """A sentence for each thing the terminal needs and the table does not give."""
    found = []
    parts = {part.name: part for part in table}
    slots = [part for part in table if part.type == APP]
    if [part.subtype for part in slots] != [OTA_0, OTA_0 + 1]:
        found.append("there must be two application slots, ota_0 and ota_1, and no other")
    for part in slots:
        if part.size % 0x10000:
            found.append(f"{part.name}: secure boot wants slots of whole 64 KB")
        if part.size < image_bytes:
            found.append(f"{part.name}: an image of {image_bytes:,} bytes does not fit")
    for name in (*SECRET, *PLAIN, "otadata", "phy_init"):
        if name not in parts:
            found.append(f"there is no partition {name}")
    for name in SECRET:
        if name in parts and not parts[name].encrypted:
            found.append(f"{name} holds secrets and is not flagged encrypted")
    for name in PLAIN:
        if name in parts and parts[name].encrypted:
            found.append(f"{name} must not be flagged encrypted")
    for part in table:
        named = part.subtype in (0, 1, NVS, COREDUMP, NVS_KEYS)
        if part.type == DATA and not named and part.subtype not in OWN_SUBTYPES:
            found.append(f"{part.name}: subtype {part.subtype:#x} is not ours to use")
    return found


def image_estimate() -> int:
    """Bytes of an image at most, by the size budget of what is frozen into it."""
    budget = tomllib.loads(Path(__file__).with_name("budget.toml").read_text())["bytes"]
    return BASE_BYTES + int(FROZEN_FACTOR * sum(budget.values()))


def main() -> None:
    """One line a board; exit with the sentences of what is wrong."""
    image = image_estimate()
    for board in espressif():
        try:
            table = read(board.folder / "partitions.csv")
            wrong = by_gen_esp32part(table, board.flash_bytes) or ours(table, image)
        except RuntimeError as error:
            wrong = [str(error)]
        if wrong:
            sys.exit(f"partitions: {board.name}: " + "; ".join(wrong))
        slot = min(part.size for part in table if part.type == APP)
        spare = board.flash_bytes - table.flash_size()
        print(
            f"  {board.name}: {len(table)} partitions by Espressif's rules; a slot has "
            f"{slot:,} bytes for at most {image:,}; {spare // 1024:,} KB of flash are spare"
        )


if __name__ == "__main__":
    main()
