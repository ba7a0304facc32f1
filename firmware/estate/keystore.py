"""Keys at rest, brought back into pinmac at boot."""

import os

import pinmac

from firmware.estate.errors import NotProvisioned
from firmware.ledger import sealed
from firmware.ledger.vault import FileMissing


def unseal_all(folder: str = "/keys") -> "list[str]":
    """Load every sealed key; sentences for the fault log, mostly none.

    NotProvisioned without a key file, KeyFileCorrupt when the device's own keys do not open: both
    need the workshop. Working keys that do not open are thrown away and a sign-on replaces them.
    """
    try:
        slots = sealed.load(folder + "/" + sealed.DEVICE_FILE, sealed.DEVICE_SLOTS)
    except FileMissing as error:
        raise NotProvisioned("this device holds no keys: take it to the workshop") from error
    if tuple(slots) != sealed.DEVICE_SLOTS:
        raise sealed.KeyFileCorrupt("the device's key file does not hold all its keys")
    try:
        sealed.load(folder + "/" + sealed.WORKING_FILE, sealed.WORKING_SLOTS)
    except FileMissing:
        return []
    except sealed.KeyFileCorrupt as error:
        os.remove(folder + "/" + sealed.WORKING_FILE)
        for slot in sealed.WORKING_SLOTS:
            pinmac.erase(slot)
        return [f"{error}; it was removed, sign on again"]
    return []
