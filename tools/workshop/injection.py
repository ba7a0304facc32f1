"""The lines of the injection, as `firmware/estate/provision.py` reads them: the one place on this
side that knows their form. The device alone judges what they say.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Step = dict[str, Any]

IDENTITY: Step = {"step": "identity"}
BEGIN: Step = {"step": "begin"}
SELF_TEST: Step = {"step": "selftest"}
FINISH: Step = {"step": "finish"}
ABANDON: Step = {"step": "abandon"}


@dataclass(frozen=True)
class Papers:
    """What makes a device a shop's, beside its key.

    values: the names of the firmware's `parameters.FIELDS`. ca: the acquirer's CA certificate,
    DER. operators: {"number", "password", "change"} each. batch, trace: the journal's first ones.
    card_keys: the card schemes' CA public keys, as the firmware's step `card-key` takes them.
    """

    values: Mapping[str, Any]
    ca: bytes
    operators: Sequence[Mapping[str, Any]]
    batch: int = 1
    trace: int = 0
    card_keys: Sequence[Mapping[str, Any]] = ()

    def steps(self) -> list[Step]:
        """The steps that give them to the device, in order."""
        return [
            {"step": "parameters", "values": dict(self.values)},
            {"step": "ca", "der": self.ca.hex()},
            *({"step": "card-key", "key": dict(key)} for key in self.card_keys),
            {"step": "operators", "values": [dict(operator) for operator in self.operators]},
            {"step": "journal", "batch": self.batch, "trace": self.trace},
        ]


def component(length: int, protects: str = "") -> Step:
    """Announces a component of so many bytes; its digits follow on a line of their own.

    protects: '' for the master key, 'AES' or 'TDES' for the key that protects a key block.
    """
    step: Step = {"step": "component", "length": length}
    return step | {"protects": protects} if protects else step


def key_block(block: str) -> Step:
    """The master key as a TR-31 block, under the key whose components went before."""
    return {"step": "block", "block": block}


def line(step: Step) -> str:
    """A step as it goes over the wire, without its line feed."""
    return json.dumps(step)


def digest(text: bytes) -> str:
    """The check sum of a line, as the device states it of ours (`heard`) and of its answers."""
    return hashlib.sha256(text).digest()[:8].hex()


def digits(part: bytearray) -> bytearray:
    """A component as hex digits and a line feed, in a buffer that the caller wipes."""
    text = bytearray(2 * len(part) + 1)
    for at, byte in enumerate(part):
        text[2 * at] = b"0123456789ABCDEF"[byte >> 4]
        text[2 * at + 1] = b"0123456789ABCDEF"[byte & 15]
    text[-1] = 0x0A
    return text


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer with zeros."""
    for at in range(len(buffer)):
        buffer[at] = 0
