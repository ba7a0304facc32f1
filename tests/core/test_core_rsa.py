"""RSA through the core's calls: recovery, and the enciphered offline PIN."""

import random

import pytest

from tests.core.desk import enter, refused, working_core
from tests.core.pinmac_core import Core

NUMBER = bytes(range(0x30, 0x38))


def modulus_of(size: int, seed: int = 1) -> bytes:
    """An odd number of that many bytes, its first bit set."""
    value = bytearray(random.Random(seed).randbytes(size))
    value[0] |= 0x80
    value[-1] |= 1
    return bytes(value)


@pytest.fixture
def core() -> Core:
    return working_core()


@pytest.mark.parametrize("size", [64, 65, 96, 128, 176, 255, 256])
@pytest.mark.parametrize("exponent", [3, 65537])
def test_recovery(core: Core, size: int, exponent: int) -> None:
    modulus = modulus_of(size)
    n = int.from_bytes(modulus, "big")
    for data in (0, 1, n - 1, n // 3):
        expected = pow(data, exponent, n).to_bytes(size, "big")
        assert core.rsa_recover(modulus, exponent, data.to_bytes(size, "big")) == ("OK", expected)


@pytest.mark.parametrize(
    ("result", "modulus", "exponent", "data"),
    [
        ("BAD_EXPONENT", modulus_of(64), 2, bytes(64)),
        ("BAD_EXPONENT", modulus_of(64), 5, bytes(64)),
        ("BAD_SIZE", modulus_of(64), 3, bytes(63)),
        ("BAD_MODULUS", modulus_of(63), 3, bytes(63)),
        ("BAD_MODULUS", modulus_of(257), 3, bytes(257)),
        ("BAD_MODULUS", b"\0" + modulus_of(63), 3, bytes(64)),
        ("BAD_MODULUS", modulus_of(63) + b"\x42", 3, bytes(64)),
        ("BAD_MODULUS", modulus_of(64), 3, modulus_of(64)),
        ("BAD_MODULUS", modulus_of(64), 3, b"\xFF" * 64),
        ("BAD_SIZE", modulus_of(64), 3, b""),
        ("BAD_MODULUS", b"", 3, b""),
    ],
)
def test_recovery_refused(core: Core, result: str, modulus: bytes, exponent: int,
                          data: bytes) -> None:
    refused(core, result, core.rsa_recover, modulus, exponent, data)


def primes(size: int, exponent: int) -> tuple[bytes, int]:
    """A modulus of `size` bytes and its private exponent, by cryptography."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(exponent, 8 * size).private_numbers()
    return key.public_numbers.n.to_bytes(size, "big"), key.d


@pytest.mark.parametrize("exponent", [3, 65537])
@pytest.mark.parametrize("size", [128, 248])
@pytest.mark.parametrize("pin", ["1234", "123456789012"])
def test_the_card_opens_the_offline_pin(core: Core, size: int, exponent: int, pin: str) -> None:
    """EMV Book 2 7.2: 7F, the PIN block of format 2, the unpredictable number, padding."""
    modulus, private = primes(size, exponent)
    padding = set()
    for _ in range(2):
        enter(core, pin)
        result, data = core.pin_enciphered(modulus, exponent, NUMBER)
        assert result == "OK" and core.pin_length()[0] == "NO_PIN_ENTRY"
        opened = pow(int.from_bytes(data, "big"), private, int.from_bytes(modulus, "big"))
        clear = opened.to_bytes(size, "big")
        block = f"2{len(pin):X}{pin}".ljust(16, "F")
        assert clear[:17] == b"\x7F" + bytes.fromhex(block) + NUMBER
        padding.add(clear[17:])
    assert len(padding) == 2


@pytest.mark.parametrize(
    ("result", "modulus", "exponent", "number", "pin"),
    [
        ("BAD_MODULUS", modulus_of(127), 3, NUMBER, "1234"),
        ("BAD_MODULUS", modulus_of(249), 3, NUMBER, "1234"),
        ("BAD_MODULUS", b"\0" + modulus_of(127), 3, NUMBER, "1234"),
        ("BAD_MODULUS", modulus_of(127) + b"\x42", 3, NUMBER, "1234"),
        ("BAD_MODULUS", b"\x01" + modulus_of(127), 3, NUMBER, "1234"),  # below the PIN data
        ("BAD_EXPONENT", modulus_of(128), 17, NUMBER, "1234"),
        ("BAD_SIZE", modulus_of(128), 3, NUMBER[1:], "1234"),
        ("PIN_TOO_SHORT", modulus_of(128), 3, NUMBER, "123"),
    ],
)
def test_the_offline_pin_refused(core: Core, result: str, modulus: bytes, exponent: int,
                                 number: bytes, pin: str) -> None:
    enter(core, pin)
    refused(core, result, core.pin_enciphered, modulus, exponent, number)
    assert core.pin_length()[0] == "NO_PIN_ENTRY"


def test_the_offline_pin_needs_an_entry_a_token_and_entropy(core: Core) -> None:
    modulus = modulus_of(128)
    refused(core, "NO_PIN_ENTRY", core.pin_enciphered, modulus, 3, NUMBER)
    core.board.switches.pins_per_hour, core.board.switches.pins_burst = 120, 1
    enter(core, "1234")
    assert core.pin_enciphered(modulus, 3, NUMBER)[0] == "OK"
    enter(core, "1234")
    refused(core, "PIN_LIMIT", core.pin_enciphered, modulus, 3, NUMBER)
    core.board.switches.pins_per_hour = 0
    enter(core, "1234")
    core.board.switches.random_left = 0
    refused(core, "NO_ENTROPY", core.pin_enciphered, modulus, 3, NUMBER)
    assert core.pin_length()[0] == "NO_PIN_ENTRY"
