"""Wiped: after each call, and after each refusal, no secret lies outside the object that holds it.

All secrets are random bytes of a fixed seed: none is met by chance. What is derived from them is
computed here, apart from the core.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES as AesKey
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode
from psec import des, pinblock, tr31

from tests.core.desk import flipped, under
from tests.core.device_keys import device_key
from tests.core.key_blocks import mac_of
from tests.core.pinmac_build import altered, library
from tests.core.pinmac_core import AES, DES, MAC_CMAC, MAC_CUP, MAC_X919, SM4, TDES
from tests.core.test_core_dukpt import KSN_AES, KSN_TDES, derived_aes, derived_tdes
from tests.core.test_core_rsa import modulus_of
from tests.core.watched_core import (
    WatchedCore,
    key_patterns,
    pin_patterns,
    schedule_patterns,
)

(MASTER, KBPK, PIN, MAC8, DATA, AES_MAC, AES_PIN, SM4_PIN, DUKPT, DUKPT_AES, SPARE,
 FRESH) = range(12)
PAN, ELSEWHERE = "6222021234567890123", 30
NUMBER = bytes(range(0x90, 0x98))


@pytest.fixture(params=[pytest.param("unoptimised", marks=pytest.mark.long), "plain", "small"])
def image(request: pytest.FixtureRequest) -> Path:
    """The core as compilers leave it: what is kept where differs."""
    return library(request.param)


class Scene:
    """A watched core with every kind of key, and the values of the keys."""

    def __init__(self, image: Path) -> None:
        self.rng = random.Random(20)
        self.core = WatchedCore(image)
        self.master = self.components(MASTER, "K0", TDES, 16)
        self.kbpk = self.components(KBPK, "K1", AES, 32)
        self.hide_device_keys()
        self.hide_block_keys("key block protection key", self.kbpk)

    def secret(self, size: int) -> bytes:
        """New random bytes."""
        return self.rng.randbytes(size)

    def hide(self, name: str, value: bytes, *homes: str, algorithm: int = 0) -> None:
        """A key; with its algorithm, its schedule too."""
        schedule = schedule_patterns(algorithm, value) if algorithm else set()
        self.core.hide(name, key_patterns(value) | schedule, *homes)

    def components(self, slot: int, usage: str, algorithm: int, size: int) -> bytes:
        """A key by two components, with the refusals on the way; its value."""
        first, second = self.secret(size), self.secret(size)
        value = bytes(a ^ b for a, b in zip(first, second))
        self.hide(f"component 1 of {slot}", first, "ring")
        self.hide(f"component 2 of {slot}", second)
        self.hide(f"key {slot}", value, "ring", algorithm=algorithm)
        assert self.core.load_component(slot, usage, algorithm, first)[0] == "OK"
        for result, again in (("WRONG_USAGE", ("D0", algorithm, second)),
                              ("BAD_SIZE", (usage, algorithm, second + b"1")),
                              ("BAD_COMPONENTS", (usage, algorithm, first))):
            assert self.core.load_component(slot, *again)[0] == result
        self.core.move(f"component 1 of {slot}")
        assert self.core.load_component(slot, usage, algorithm, second)[0] == "OK"
        return value

    def hide_device_keys(self) -> None:
        """What core/device.c derives from the secret and the salt, and what from that."""
        stores = self.core.board.stores
        self.hide("the device's secret", bytes(stores.secret))
        self.hide("the salt", bytes(stores.salt))
        sealing = device_key(self.core, b"sealing ")
        self.hide("the sealing key", sealing, "device", algorithm=AES)
        binding = device_key(self.core, b"binding ")
        self.hide("the binding key", binding, "device", algorithm=AES)
        for label in (b"dukpt e\0", b"dukpt m\0"):
            kdf = KBKDFCMAC(AesKey, Mode.CounterMode, 32, 1, None, CounterLocation.BeforeFixed,
                            None, None, label + b"\0\x01\0")
            self.hide(f"the key {label!r}", kdf.derive(sealing), algorithm=AES)
        self.hide_block_keys("sealing key", sealing)

    def hide_block_keys(self, name: str, kbpk: bytes) -> None:
        """X9.143 7.2.1.1: what the encryption and the MAC of a block are made with."""
        for use in (0, 1):
            derived = b"".join(mac_of("D", kbpk, bytes([counter, 0, use, 0, 0, 4, 1, 0]))
                               for counter in (1, 2))
            self.hide(f"{name}, derived {use}", derived, algorithm=AES)

    def working(self, slot: int, usage: str, size: int) -> bytes:
        """A key under the master key; its value."""
        key = self.secret(size)
        self.hide(f"key {slot}", key, "ring", algorithm=DES if size == 8 else TDES)
        cryptogram, kcv = under(self.master, key)
        assert self.core.load_working(slot, usage, cryptogram, MASTER, kcv)[0] == "OK"
        return key

    def block(self, usage: str, letter: str, mode: str, key: bytes) -> bytes:
        """A key block of psec's."""
        header = tr31.Header("D", usage, letter, mode, "00", "E")
        return tr31.KeyBlock(self.kbpk, header).wrap(key).encode()

    def by_block(self, slot: int, usage: str, letter: str, mode: str, size: int) -> bytes:
        """A key that comes in a block; its value."""
        key = self.secret(size)
        self.hide(f"key {slot}", key, "ring", algorithm=AES if letter == "A" else TDES)
        assert self.core.load_block(slot, self.block(usage, letter, mode, key), KBPK)[0] == "OK"
        return key


def whole(image: Path) -> Scene:
    """The scene with all its keys but DUKPT's."""
    scene = Scene(image)
    scene.working(PIN, "P0", 16)
    scene.working(MAC8, "M0", 8)
    scene.working(DATA, "D0", 24)
    scene.by_block(AES_MAC, "M6", "A", "C", 32)
    scene.by_block(AES_PIN, "P0", "A", "E", 16)
    assert scene.core.generate(SM4_PIN, "P0", SM4)[0] == "OK"
    return scene


def test_refused_keys(image: Path) -> None:
    """Deciphered and then found wanting: nothing of it stays."""
    scene = whole(image)
    core = scene.core
    for number in range(3):
        key = scene.secret(16)
        scene.hide(f"refused key {number}", key)
        cryptogram, kcv = under(scene.master, key)
        calls = [("BAD_CHECK_VALUE", lambda c=cryptogram, k=kcv: core.load_working(
            SPARE, "P0", c, MASTER, flipped(k)))]
        if number == 1:
            core.board.switches.writes_left = 0
            calls.append(("NO_STORAGE", lambda c=cryptogram, k=kcv: core.load_working(
                SPARE, "P0", c, MASTER, k)))
        for letter, result in (("T", "WRONG_MODE"), ("A", "WRONG_MODE")):
            block = scene.block("P0", letter, "D", key)
            calls += [(result, lambda b=block: core.load_block(SPARE, b, KBPK)),
                      ("BAD_BLOCK", lambda b=block: core.load_block(SPARE, b[:-1] + b"_", KBPK)),
                      ("BAD_BLOCK", lambda b=block: core.load_block(
                          SPARE, b[:-1] + (b"0" if b[-1:] != b"0" else b"1"), KBPK)),
                      ("WRONG_USAGE", lambda b=block: core.load_dukpt(SPARE, b, KBPK, KSN_TDES))]
        long = scene.block("B1", "T", "X", key + key[:8])
        calls.append(("BAD_SIZE", lambda b=long: core.load_dukpt(SPARE, b, KBPK, KSN_TDES)))
        initial = scene.block("B1", "T", "X", key)
        calls.append(("BAD_KSN", lambda b=initial: core.load_dukpt(SPARE, b, KBPK, KSN_AES)))
        core.board.switches.counters_unreadable = 1
        calls.append(("NO_STORAGE", lambda b=initial: core.load_dukpt(SPARE, b, KBPK, KSN_TDES)))
        for result, call in calls:
            assert call()[0] == result
        core.board.switches.writes_left = 0xFFFFFFFF
        core.board.switches.counters_unreadable = 0


def test_keys_that_come_and_go(image: Path) -> None:
    scene = whole(image)
    core = scene.core
    for slot in (PIN, MAC8, DATA, AES_MAC, AES_PIN, MASTER, KBPK):
        blob = core.seal(slot)[1]
        assert core.unseal(SPARE, flipped(blob, 20))[0] == "BAD_BLOCK"
        assert core.unseal(SPARE, flipped(blob, -1))[0] == "BAD_BLOCK"
        assert core.unseal(SPARE, blob) == core.kcv(slot)
        assert core.erase(SPARE)[0] == "OK"
        core.board.switches.random_left = 0
        assert core.seal(slot)[0] == "NO_ENTROPY"
        core.board.switches.random_left = 0xFFFFFFFF
    for usage, algorithm in (("D0", AES), ("D0", TDES), ("M3", TDES)):
        assert core.generate(FRESH, usage, algorithm)[0] == "OK"
        _, value = tr31.unwrap(scene.kbpk, core.export_block(FRESH, KBPK)[1].decode())
        scene.hide("generated key", value, "ring")
        assert core.kcv(FRESH)[0] == core.info(FRESH)[0] == "OK"
        assert core.export_block(FRESH, MASTER)[0] == "WRONG_USAGE"
        core.move("generated key")
        assert core.erase(FRESH)[0] == "OK"
    for slot in (PIN, MAC8, DATA, AES_MAC, AES_PIN):
        core.move(f"key {slot}")
        assert core.erase(slot)[0] == "OK"
    assert core.pin_begin()[0] == core.self_test()[0] == "OK"
    for name in core.secrets:
        core.move(name)
    assert core.zeroize()[0] == "OK"
    assert core.searches > 90


def test_uses_of_keys(image: Path) -> None:
    scene = whole(image)
    core = scene.core
    for slot, algorithm in ((MAC8, MAC_CUP), (AES_MAC, MAC_CMAC)):
        mac = core.mac(slot, algorithm, b"a text of more than sixteen bytes")[1]
        for text, given, result in ((b"a text of more than sixteen bytes", mac, "OK"),
                                    (b"another text", mac, "BAD_MAC"), (b"", mac[:3], "BAD_SIZE")):
            assert core.mac_verify(slot, algorithm, text, given)[0] == result
        for last in (core.mac_final, lambda m=mac: core.mac_final_verify(m),
                     lambda s=slot: core.mac_forget(s), lambda: core.mac_final_verify(b"")):
            core.move(f"key {slot}", "ring", "pieces")
            assert core.mac_init(slot, algorithm)[0] == "OK"
            assert core.mac_init(slot, algorithm)[0] == "MAC_OPEN"
            for piece in (b"a text of more than", b"", b" sixteen bytes"):
                assert core.mac_update(piece)[0] == "OK"
            core.move(f"key {slot}", "ring")
            last()
    assert core.encrypt(DATA, bytes(8), bytes(24))[0] == "OK"
    assert core.encrypt(DATA, bytes(8), bytes(23))[0] == "BAD_SIZE"
    assert core.decrypt(DATA, bytes(8), bytes(24))[0] == "WRONG_MODE"
    assert core.encrypt_track(DATA, "6225880000071234=3012")[0] == "OK"
    assert core.encrypt_track(DATA, "6225880000071234?3012")[0] == "BAD_TRACK"
    assert core.mac(AES_MAC, MAC_CUP, b"")[0] == "WRONG_USAGE"
    assert core.rsa_recover(modulus_of(64), 3, scene.secret(63).rjust(64, b"\0"))[0] == "OK"


def clear_blocks(pin: str) -> set[bytes]:
    """The clear blocks of formats 0 and 3 up to the fill, 2, and the PIN field of 4."""
    digits = bytes.fromhex(f"{len(pin):02X}{pin}")
    account = bytes.fromhex("0000" + PAN[-13:-1])
    mixed = bytes(a ^ b for a, b in zip(digits, account))
    return {pinblock.encode_pinblock_iso_0(pin, PAN), b"\x3C" + mixed[1:7], mixed[1:7],
            bytes.fromhex(f"2C{pin}FF"), bytes.fromhex(f"4C{pin}"), bytes.fromhex(f"1C{pin}")}


@pytest.mark.parametrize("ending", ["block", "refused", "offline", "cancel", "begin", "late",
                                    "zeroize"])
def test_pins(ending: str, image: Path) -> None:
    scene = whole(image)
    core = scene.core
    core.board.switches.pin_entry_ms = 60_000
    core.hide("the PIN's clear block", clear_blocks("000000000000"))
    modulus = modulus_of(128)
    endings = {
        "block": [lambda f=f, s=s: core.pin_block(s, f, PAN) for f, s in (
            (0, PIN), (1, PIN), (3, PIN), (4, AES_PIN), (4, SM4_PIN))],
        "refused": [
            lambda: core.pin_block(ELSEWHERE, 0, PAN), lambda: core.pin_block(MASTER, 0, PAN),
            lambda: core.pin_block(PIN, 4, PAN), lambda: core.pin_block(PIN, 0, "1"),
            lambda: core.pin_block(PIN, 2, PAN), lambda: core.pin_block(99, 0, PAN)],
        "offline": [lambda: core.pin_enciphered(modulus, 3, NUMBER),
                    lambda: core.pin_enciphered(b"\x01" + modulus[1:], 3, NUMBER),
                    lambda: core.pin_enciphered(modulus, 5, NUMBER),
                    lambda: core.pin_enciphered(modulus, 3, NUMBER[1:])],
        "cancel": [core.pin_cancel], "begin": [core.pin_begin, lambda: core.pin_begin(3, 3)],
        "late": [lambda: core.pin_digit(1), core.pin_back, core.pin_length,
                 lambda: core.pin_block(PIN, 0, PAN)],
        "zeroize": [core.zeroize],
    }[ending]
    for end in endings:
        pin = "".join(scene.rng.sample("1234567890" * 2, 12))
        core.hide("the PIN", pin_patterns(pin), "pin")
        core.hide("the PIN's clear block", clear_blocks(pin))
        assert core.pin_begin()[0] == "OK"
        for digit in "99" + pin:
            core.pin_digit(int(digit))
        while core.pin_back()[1]:
            pass
        for digit in pin:
            assert core.pin_digit(int(digit))[0] == "OK"
        assert core.pin_digit(5)[0] == "PIN_FULL" and core.pin_digit(10)[0] == "BAD_DIGIT"
        assert core.pin_length() == ("OK", 12)
        if ending == "late":
            core.board.switches.now_ms += 60_001
        core.move("the PIN")
        if ending == "zeroize":
            for name in core.secrets:
                core.move(name)
        end()
        core.pin_cancel()


def variant(key: bytes, byte: int) -> bytes:
    """X9.24-1:2009 A.4.1: one byte of each half inverted."""
    changed = bytearray(key)
    changed[byte] ^= 0xFF
    changed[8 + byte] ^= 0xFF
    return bytes(changed)


def hide_tdes(scene: Scene, key: bytes) -> None:
    scene.hide("transaction key", key, "tdes")
    for name, byte in (("PIN", 7), ("MAC", 6), ("response", 4), ("data", 5), ("response data", 3)):
        scene.hide(f"session key, {name}", variant(key, byte), algorithm=TDES)
        if "data" in name:
            enciphered = des.encrypt_tdes_ecb(variant(key, byte), variant(key, byte))
            scene.hide(f"session key, {name}, enciphered", enciphered, algorithm=TDES)


def hide_aes(scene: Scene, key: bytes, ksn: bytes) -> None:
    scene.hide("transaction key", key, "aes")
    for usage in (0x1000, 0x2000, 0x2001, 0x3000, 0x3001):
        data = b"\1\1" + usage.to_bytes(2, "big") + b"\0\2\0\x80" + ksn[4:]
        session = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(data)
        scene.hide(f"session key {usage:04X}", session, algorithm=AES)


@pytest.mark.parametrize("kind", ["TDES", "AES"])
def test_dukpt(kind: str, image: Path) -> None:
    """The initial key is nowhere from the first; each transaction's key is gone with the next."""
    scene = whole(image)
    core, tdes = scene.core, kind == "TDES"
    ksn, derive = (KSN_TDES, derived_tdes) if tdes else (KSN_AES, derived_aes)
    slot, algorithm = (DUKPT, MAC_X919) if tdes else (DUKPT_AES, MAC_CMAC)
    registers = "tdes_registers" if tdes else "aes_registers"
    initial = scene.secret(16)
    scene.hide("initial key", initial)
    keys = [derive(initial, ksn[:-1] + bytes([counter])) for counter in range(9)]
    for counter in (1, 2, 4, 8):
        scene.hide(f"future key {counter}", keys[counter], registers)
    block = scene.block("B1", "T" if tdes else "A", "X", initial)
    assert core.load_dukpt(slot, block, KBPK, ksn)[0] == "OK"
    assert core.load_dukpt(ELSEWHERE, block, KBPK, ksn)[0] == "REGISTERS_TAKEN"
    for counter in range(1, 6):
        if f"future key {counter}" in core.secrets:
            core.move(f"future key {counter}", "tdes" if tdes else "aes")
        if tdes:
            hide_tdes(scene, keys[counter])
        else:
            hide_aes(scene, keys[counter], ksn[:-1] + bytes([counter]))
        assert core.dukpt_next(slot)[0] == "OK"
        assert core.mac(slot, algorithm, b"text")[0] == "OK"
        assert core.mac(slot, MAC_CUP, b"text")[0] == "WRONG_ALGORITHM"
        assert core.mac_verify(slot, algorithm, b"text", bytes(8))[0] == "BAD_MAC"
        assert core.encrypt(slot, bytes(8 if tdes else 16), bytes(16))[0] == "OK"
        assert core.encrypt(slot, b"", bytes(16))[0] == "BAD_SIZE"
        assert core.decrypt(slot, bytes(8 if tdes else 16), bytes(16))[0] == "OK"
        core.pin_begin()
        assert core.pin_block(slot, 0 if tdes else 4, PAN)[0] == "PIN_TOO_SHORT"
        blob = core.seal(slot)[1]
        assert core.unseal(slot, flipped(blob, 60))[0] == "BAD_BLOCK"
        if f"future key {counter}" in core.secrets:
            core.move(f"future key {counter}")
    core.move("transaction key")
    assert core.unseal(slot, blob)[0] == "OK"
    core.move("future key 8")
    assert core.erase(slot)[0] == "OK"


# File of the core, a right line and one that leaves something, and the test that must see it.
LEAKS: dict[str, tuple[str, str, str, Callable[[Path], None]]] = {
    "the work area": ("work.c", "pinmac_wipe(&pinmac_work, sizeof pinmac_work);", "",
                      test_refused_keys),
    "the stack": ("work.c", "pinmac_wipe_stack();", "", test_refused_keys),
    "the PIN": ("entry.c", "pinmac_wipe(&pin, sizeof pin);", "pin.open = false;",
                lambda image: test_pins("cancel", image)),
    "the offline PIN data": ("entry.c", "pinmac_wipe(data, sizeof data);\n    end_entry();",
                             "end_entry();", lambda image: test_pins("offline", image)),
    "an erased key": ("ring.c", "pinmac_wipe(&ring[slot], sizeof ring[slot]);",
                      "ring[slot].state = PINMAC_SLOT_FREE;", test_keys_that_come_and_go),
    "a used register": ("dukpt.c", "pinmac_wipe(future, PINMAC_DUKPT_KEY);", "",
                        lambda image: test_dukpt("AES", image)),
    "the device's keys": ("device.c", "pinmac_wipe(&device, sizeof device);",
                          "device.ready = false;", test_keys_that_come_and_go),
    "a MAC's key": ("macs.c", "pinmac_wipe(&pieces, sizeof pieces);\n    }\n}",
                    "pieces.algorithm = 0;\n    }\n}", test_uses_of_keys),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_seen(leak: str, tmp_path: Path) -> None:
    """The proof can fail: the same search on a core that forgets one wipe."""
    file, right, wrong, proof = LEAKS[leak]
    forgetful = altered(file, right, wrong, tmp_path, "-O0")
    with pytest.raises(AssertionError, match="lies in"):
        proof(forgetful)
