"""Issuer scripts as they leave the host: commands with secure messaging get their MAC.

Format 2 of EMV Book 2, 9.2: 8 bytes behind the data, over header, ATC, request cryptogram and
data, under a session key that the request cryptogram diversifies. pyemv computes both.
"""

from __future__ import annotations

from pyemv import kd, sm

from tools.acquirer.errors import DeckError

_COMMAND = 0x86
_MESSAGING = (0x84, 0x8C)
_HEADER = 4
_MAC = 8


def sealed(content: bytes, key: bytes, atc: bytes, cryptogram: bytes) -> bytes:
    """The content of a template 71 or 72 with every 84 and 8C command sealed.

    `key` is the card's key for script integrity, `atc` 9F36, `cryptogram` the request's 9F26. In
    the deck's files such a command ends with its data, Lc included where there are any. Raises
    DeckError when the content is not made of elements with one-byte lengths.
    """
    session = kd.derive_common_sk(key, cryptogram)
    result, at = b"", 0
    while at < len(content):
        start = at
        at += 2 if content[at] & 0x1F == 0x1F else 1
        if at >= len(content) or at + 1 + content[at] > len(content):
            raise DeckError("an issuer script is not made of whole elements")
        value = content[at + 1 : at + 1 + content[at]]
        if content[start] == _COMMAND and value[:1] and value[0] in _MESSAGING:
            value = _command(value, session, atc + cryptogram)
        result += content[start:at] + bytes((len(value),)) + value
        at += 1 + content[at]
    return result


def integrity_key(master_key: bytes, pan: str, psn: str) -> bytes:
    """The card's key for script integrity (option A; EMV Book 2, A1.4.1)."""
    return kd.derive_icc_mk_a(master_key, pan, psn)


def _command(command: bytes, session: bytes, transaction: bytes) -> bytes:
    data = command[_HEADER + 1 :]
    header = command[:_HEADER] + bytes((len(data) + _MAC,))
    return header + data + sm.generate_command_mac(session, header + transaction + data)
