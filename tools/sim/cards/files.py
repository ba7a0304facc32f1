"""The files of an application: what READ RECORD gives, and the AFL that names it (Book 3 10.2).

File 1 is the track and the name, file 2 the application's data (record 1 is what offline data
authentication protects) and its lists, file 3 the certificates (`credentials.py`), file 4 what a
tap signed dynamically, when that is too long for the answer to GET PROCESSING OPTIONS.
"""

from __future__ import annotations

from functools import cache

from tools.sim.cards import ber, credentials
from tools.sim.cards.credentials import Credentials
from tools.sim.cards.personalisation import Application

DYNAMIC_FILE = 4

Records = dict[tuple[int, int], bytes]


def profile(facts: Application) -> bytes:
    """82, the application interchange profile: the file's bits and those of authentication."""
    plain = bytes.fromhex(facts.aip)
    return bytes((plain[0] | credentials.profile(facts), plain[1]))


def track2(facts: Application) -> bytes:
    """57: PAN D expiry, service code, five digits, F to fill."""
    text = f"{facts.pan}D{facts.expiry}{facts.service_code}12345"
    return bytes.fromhex(text + "F" * (len(text) % 2))


def cdol2(facts: Application) -> str:
    """The second list: the response code, what authenticates it, and the first list."""
    issuer = "91:10 " if facts.verify == "cdol2" else ""
    return facts.cdol2 or f"8A:2 {issuer}{facts.cdol1}"


def file_locator(facts: Application, held: Credentials) -> bytes:
    """94 on contacts: all three files; the first record of file 2 is authenticated."""
    protected = 1 if held.records else 0
    return bytes((0x08, 1, 1, 0, 0x10, 1, 2, protected)) + held.file_locator


def tap_file_locator(held: Credentials, proven: bool, dynamic: bool) -> bytes:
    """94 of a tap: what a reader needs, with certificates when it is to prove the card (C-3).

    dynamic: the signed dynamic data are in a record of their own.
    """
    if not proven:
        return bytes((0x10, 1, 1, 0))
    last = bytes((DYNAMIC_FILE << 3, 1, 1, 0)) if dynamic else b""
    return bytes((0x10, 1, 1, 1, credentials.FILE << 3, 1, 3, 0)) + last


@cache
def _built(facts: Application) -> tuple[tuple[tuple[tuple[int, int], bytes], ...], Credentials]:
    protected = _protected(facts)
    held = credentials.issue(facts, protected + profile(facts))
    tlv = ber.tlv
    records = (
        ((1, 1), tlv("70", tlv("57", track2(facts)), tlv("5F20", facts.cardholder.encode()))),
        ((2, 1), tlv("70", protected)),
        ((2, 2), tlv("70", _lists(facts))),
        *held.records,
    )
    return records, held


def build(facts: Application) -> tuple[Records, Credentials]:
    """Records by (SFI, number), and the credentials whose certificates are among them."""
    records, held = _built(facts)
    return dict(records), held


def _protected(facts: Application) -> bytes:
    """What the issuer signs: the data that a terminal decides by."""
    tlv = ber.tlv
    return b"".join(
        (
            tlv("5F24", bytes.fromhex(facts.expiry + "31")),
            tlv("5F25", bytes.fromhex(facts.effective)),
            tlv("5A", bytes.fromhex(facts.pan + "F" * (len(facts.pan) % 2))),
            tlv("5F34", bytes.fromhex(f"{facts.psn:02d}")),
            tlv("9F07", bytes.fromhex(facts.usage_control)),
            tlv("8E", bytes.fromhex(facts.cvm)),
            tlv("9F0D", bytes.fromhex(facts.action_default)),
            tlv("9F0E", bytes.fromhex(facts.action_denial)),
            tlv("9F0F", bytes.fromhex(facts.action_online)),
            tlv("5F28", b"\x01\x56"),
        )
    )


def _lists(facts: Application) -> bytes:
    tlv = ber.tlv
    limits = (("9F14", facts.lower_limit), ("9F23", facts.upper_limit))
    return b"".join(
        (
            tlv("8C", ber.dol(facts.cdol1)),
            tlv("8D", ber.dol(cdol2(facts))),
            tlv("5F30", bytes.fromhex("0" + facts.service_code)),
            tlv("9F08", bytes.fromhex(facts.version)),
            tlv("9F42", b"\x01\x56"),
            tlv("9F44", b"\x02"),
            *(tlv(tag, bytes((value,))) for tag, value in limits if value is not None),
            tlv("9F63", facts.product.encode()) if facts.product else b"",
        )
    )
