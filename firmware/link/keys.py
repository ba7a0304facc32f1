"""The working keys of a sign-on: checked all together, then live, then at rest.

PROTOCOL.md, "Sign-on and working keys": F62 is PIN key, MAC key and, where 60 bytes, track key;
each a cryptogram under the master key and the first 4 bytes of its check value.
"""

import os

import pinmac

from firmware.ledger import sealed
from firmware.ledger.vault import MAC, MASTER, PIN, TRACK
from firmware.link.errors import KeyFault

_USAGES = ((PIN, "P0"), (MAC, "M0"), (TRACK, "D0"))
_STAGE = const(8)  # slots 9-11: where keys prove themselves before they go live
_KCV = const(4)
# length of F62: (keys in it, length of a cryptogram)
_SHAPES = {24: (2, 8), 40: (2, 16), 60: (3, 16)}


def loaded() -> bool:
    """PIN and MAC key are in pinmac."""
    return pinmac.info(PIN) is not None and pinmac.info(MAC) is not None


def install(field: bytes, folder: str) -> None:
    """Take F62's keys into use and keep them sealed in `folder`.

    KeyFault when the field has another shape or one check value is wrong: the keys in use stay."""
    if len(field) not in _SHAPES:
        raise KeyFault(f"the working keys' field has {len(field)} bytes")
    parts = _split(field)
    try:
        for slot, usage, cryptogram, kcv in parts:
            pinmac.load_working(_STAGE + slot, usage, cryptogram, MASTER, kcv)
    except (pinmac.IntegrityError, pinmac.KeyUsageError, pinmac.StateError) as error:
        raise KeyFault(f"a working key does not check: {error}") from error
    finally:
        for slot, _ in _USAGES:
            pinmac.erase(_STAGE + slot)
    if len(parts) < len(_USAGES):
        pinmac.erase(TRACK)  # an older sign-on's
    for slot, usage, cryptogram, kcv in parts:
        pinmac.load_working(slot, usage, cryptogram, MASTER, kcv)
    sealed.save(folder + "/" + sealed.WORKING_FILE, tuple(part[0] for part in parts))


def forget(folder: str) -> None:
    """At sign-off: wipe the working keys and their file."""
    for slot, _ in _USAGES:
        pinmac.erase(slot)
    if sealed.WORKING_FILE in os.listdir(folder):
        os.remove(folder + "/" + sealed.WORKING_FILE)


def _split(field: bytes) -> "list[tuple[int, str, bytes, bytes]]":
    """(slot, usage, cryptogram, kcv) of every key in the field."""
    count, size = _SHAPES[len(field)]
    parts = []
    for i in range(count):
        at = i * (size + _KCV)
        cryptogram = field[at : at + size]
        if size == 16 and not any(cryptogram[8:]):
            cryptogram = cryptogram[:8]  # a single-length key in a double-length place
        slot, usage = _USAGES[i]
        parts.append((slot, usage, cryptogram, field[at + size : at + size + _KCV]))
    return parts
