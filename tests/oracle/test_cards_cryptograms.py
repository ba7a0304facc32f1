"""The deck's cryptograms against published values and against psec's MAC, which is not pyemv's."""

from __future__ import annotations

import random

from psec import des, mac
from pyemv import ac, kd

from tools.sim.cards import crypto

# EMV.md, "Cryptogram check".
IMK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
DIVERSIFIER = bytes.fromhex("1234567890123456")
DATA = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")


def test_card_key_has_the_known_check_value() -> None:
    key = crypto.card_key(IMK, "12345678901234567", 45)
    assert des.generate_kcv(key, 2).hex().upper() == "FF08"


def test_request_cryptogram_is_the_known_one() -> None:
    key = crypto.card_key(IMK, "12345678901234567", 45)
    session = kd.derive_common_sk(key, DIVERSIFIER)
    assert ac.generate_ac(session, DATA, ac.PaddingType.EMV).hex().upper() == "19C1FBC83EBDC0D5"


def test_issuer_answer_is_the_known_one() -> None:
    key = crypto.card_key(IMK, "12345678901234567", 45)
    arqc = bytes.fromhex("19C1FBC83EBDC0D5")
    assert crypto.issuer_answer(key, arqc, b"\x00\x00").hex().upper() == "78A372523FA35A03"


def test_a_thousand_cryptograms_are_what_psec_makes_of_them() -> None:
    dice = random.Random(7)
    lengths = {"9F02": 6, "9F03": 6, "9F1A": 2, "95": 5, "5F2A": 2, "9A": 3, "9C": 1, "9F37": 4}
    for _ in range(1000):
        atc = dice.randrange(0x10000)
        key = crypto.card_key(IMK, f"{dice.randrange(10**16):016d}", dice.randrange(100))
        session = crypto.session_key(key, atc)
        values = {tag: dice.randbytes(size) for tag, size in lengths.items()}
        aip, iad = dice.randbytes(2), crypto.application_data(dice.randbytes(3))
        data = b"".join(values.values()) + aip + atc.to_bytes(2, "big") + iad
        expected = mac.generate_retail_mac(session[:8], session[8:], data, 2)
        assert crypto.cryptogram(session, values, aip, atc, iad) == expected
