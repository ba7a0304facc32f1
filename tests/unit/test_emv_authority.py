"""The certification authorities' public keys as terminal data (Book 2 11.2)."""

import hashlib

from emv.authority import CaPublicKey
from emv.errors import CaKeyError
from emv.terminal import Terminal


async def test_a_terminal_offers_offline_what_it_has_keys_for():
    assert Terminal(bytes).data[0x9F33].hex() == "206800"
    assert Terminal(bytes, authorities=[key()]).data[0x9F33].hex() == "2078c8"
    own = Terminal(bytes, {0x9F33: b"\xe0\xf8\xc8"}, authorities=[key()])
    assert own.data[0x9F33].hex() == "e0f8c8"


# Made up: a key that signs nothing, with a check sum that fits.
CA_KEY = {"rid": "A000000333", "index": "F1", "modulus": "C1" * 128, "exponent": "03",
          "expiry": "301231", "sha1": ""}  # fmt: skip


def key(**changes):
    entry = dict(CA_KEY)
    entry.update(changes)
    parts = "".join(entry[name] for name in ("rid", "index", "modulus", "exponent"))
    digest = hashlib.sha1(bytes.fromhex(parts)).digest().hex()
    entry["sha1"] = changes.get("sha1", digest)
    return CaPublicKey.from_text(entry)


def test_a_ca_key_is_refused_by_name():
    one = key()
    assert one.name == "A000000333 F1" and one.index == 0xF1 and one.exponent == 3
    assert not one.expired(bytes.fromhex("301231")) and one.expired(bytes.fromhex("310101"))
    for changes, words in (
        ({"sha1": "00" * 20}, "the check sum of the CA key A000000333 F1 is wrong"),
        ({"exponent": "05"}, "the exponent of the CA key A000000333 F1 is not 3 or 65537"),
        ({"modulus": "C1" * 63}, "the modulus of the CA key A000000333 F1 cannot be"),
        ({"modulus": "C1" * 249}, "the modulus of the CA key A000000333 F1 cannot be"),
        ({"modulus": "C0" * 128}, "the modulus of the CA key A000000333 F1 cannot be"),
        ({"expiry": "301331"}, "the expiry date of the CA key A000000333 F1 is no date"),
        ({"rid": "A0000003"}, "the CA key A0000003 F1 has no RID of five bytes or no index"),
        ({"index": "F1F1"}, "the index of a CA key is one byte, its expiry date text"),
    ):
        try:
            key(**changes)
        except CaKeyError as error:
            assert str(error) == words, (changes, error)
        else:
            raise AssertionError(changes)
    for broken in ({"rid": "A"}, {"rid": 5}, {}):
        try:
            CaPublicKey.from_text(broken)
        except CaKeyError:
            continue
        raise AssertionError(broken)
