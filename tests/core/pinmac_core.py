"""pinmac's core in this process: every call of core/pinmac.h as a method, over the fake port.

A call answers `(result, output)`: the result's name without PINMAC_ ("OK", "WRONG_USAGE", …), and
what the call gave, or None where it refused. The board behind the core is `core.board`: `stores`
is what outlives `core.reboot()`, `switches` is how the board behaves from now on.
"""

import ctypes
import tempfile
from pathlib import Path
from typing import Any

from tests.core.pinmac_build import library
from tools.check.pinmac import declarations, enumerators

DES, TDES, AES, SM4 = 1, 2, 3, 4
MAC_CUP, MAC_CMAC, MAC_X99, MAC_X919, MAC_CUP_SM4 = 1, 2, 3, 4, 5
SLOTS, RECORDS, UNLIMITED = 32, 64, 0xFFFFFFFF
SEALED_MAX, BLOCK_MAX, KSN_MAX = 580, 144, 12
RESULTS = {value: name for name, value in enumerators("result.h", "pinmac_result").items()}
_TYPES = {"unsigned": ctypes.c_uint, "int": ctypes.c_int, "size_t": ctypes.c_size_t,
          "uint32_t": ctypes.c_uint32, "void": None, "bool": ctypes.c_bool}
Answer = tuple[str, Any]


class Stores(ctypes.Structure):
    """struct fake_stores: what outlives a reboot."""

    _fields_ = [("secret", ctypes.c_uint8 * 32), ("salt", ctypes.c_uint8 * 32),
                ("salt_there", ctypes.c_uint8), ("record", ctypes.c_uint8 * 16 * RECORDS),
                ("records", ctypes.c_uint32),
                ("counter", ctypes.c_uint32 * 3)]


class Switches(ctypes.Structure):
    """struct fake_switches: how the board behaves."""

    _fields_ = [(name, ctypes.c_uint32) for name in (
        "now_ms", "pins_per_hour", "pins_burst", "pin_entry_ms", "components_only_fresh",
        "secret_missing", "salt_create_fails", "salt_destroy_fails", "record_capacity",
        "writes_left", "counters_unreadable", "counters_stuck", "random_left",
        "random_constant", "random_flat", "random_biased", "random_repeats")]
    _fields_ += [("random_state", ctypes.c_uint64)]


class Board(ctypes.Structure):
    """struct fake_board."""

    _fields_ = [("stores", Stores), ("switches", Switches)]


class Info(ctypes.Structure):
    """struct pinmac_info of core/pinmac.h."""

    _fields_ = [("empty", ctypes.c_bool), ("complete", ctypes.c_bool),
                ("usage", ctypes.c_char * 2), ("version", ctypes.c_char * 2),
                ("mode", ctypes.c_char),
                ("exportability", ctypes.c_char), ("algorithm", ctypes.c_int),
                ("size", ctypes.c_size_t)]


def _type(words: str) -> Any:
    if "*" in words or "[" in words:
        return ctypes.c_void_p
    if words.startswith("enum pinmac_result"):
        return ctypes.c_int
    kind = words.removeprefix("const ").split()[0]
    return ctypes.c_int if kind == "enum" else _TYPES[kind]


def exact(data: bytes) -> Any:
    """A copy without a byte to spare, so that a sanitizer sees a step too far."""
    return (ctypes.c_uint8 * len(data)).from_buffer_copy(data)


class Core:
    """One power cycle after another of one device. Static memory is new after each `reboot`."""

    board: Board

    def __init__(self, damage: bytes = b"", image: Path | None = None) -> None:
        """The library of the flavour in force, or the one at `image`.

        With `damage`, the last bit of these bytes is flipped wherever the library has them.
        """
        self._image = (image or library()).read_bytes()
        if damage:
            assert damage in self._image, f"{damage.hex()} is not in the library"
            wrong = damage[:-1] + bytes([damage[-1] ^ 1])
            self._image = self._image.replace(damage, wrong)
        self._load()
        assert self._library.fake_board_size() == ctypes.sizeof(Board)

    def _load(self) -> None:
        with tempfile.NamedTemporaryFile(suffix=".so") as copy:
            # A copy is another library to the loader, with static memory of its own.
            copy.write(self._image)
            copy.flush()
            self._library = ctypes.CDLL(copy.name)
        self.board = Board.in_dll(self._library, "fake")
        for name, (result, parameters) in declarations().items():
            function = getattr(self._library, name)
            function.restype = _type(result)
            function.argtypes = [_type(words) for words in parameters]

    def reboot(self) -> None:
        """Lose everything but the board's stores and its behaviour."""
        board = bytes(self.board)
        self._load()
        ctypes.memmove(ctypes.byref(self.board), board, len(board))

    def function(self, name: str) -> Any:
        """A C function of the core by its whole name, for what has no method."""
        return getattr(self._library, name)

    def _invoke(self, function: Any, *arguments: Any) -> Any:
        return function(*arguments)

    def _call(self, name: str, *arguments: Any, output: Any = None) -> Answer:
        result = RESULTS[self._invoke(getattr(self._library, "pinmac_" + name), *arguments)]
        return result, output() if result == "OK" and output is not None else None

    def _kcv(self, name: str, *arguments: Any) -> Answer:
        kcv = exact(bytes(3))
        return self._call(name, *arguments, kcv, output=lambda: bytes(kcv))

    def _length(self, name: str, *arguments: Any) -> Answer:
        length = ctypes.c_uint()
        return self._call(name, *arguments, ctypes.byref(length), output=lambda: length.value)

    def _sized(self, name: str, room: int, *arguments: Any) -> Answer:
        out, size = exact(bytes(room)), ctypes.c_size_t()
        return self._call(name, *arguments, out, ctypes.byref(size),
                          output=lambda: bytes(out)[:size.value])

    # ---- keys

    def load_component(self, slot: int, usage: str, algorithm: int, part: bytes) -> Answer:
        """The output is the KCV, None after the first component. `part` must come back wiped."""
        buffer, complete, kcv = exact(part), ctypes.c_bool(), exact(bytes(3))
        answer = self._call(
            "load_component", slot, usage.encode(), algorithm, buffer, len(part),
            ctypes.byref(complete), kcv, output=lambda: bytes(kcv) if complete else None)
        assert bytes(buffer) == bytes(len(part)), "a component was not wiped"
        return answer

    def load_working(self, slot: int, usage: str, cryptogram: bytes, master: int,
                     kcv: bytes) -> Answer:
        """The output is None."""
        return self._call("load_working", slot, usage.encode(), exact(cryptogram),
                          len(cryptogram), master, exact(kcv), len(kcv))

    def generate(self, slot: int, usage: str, algorithm: int) -> Answer:
        """The output is the KCV."""
        return self._kcv("generate", slot, usage.encode(), algorithm)

    def kcv(self, slot: int) -> Answer:
        """The output is the KCV."""
        return self._kcv("kcv", slot)

    def info(self, slot: int) -> Answer:
        """The output is the Info."""
        info = Info()
        return self._call("info", slot, ctypes.byref(info), output=lambda: info)

    def erase(self, slot: int) -> Answer:
        """The output is None."""
        return self._call("erase", slot)

    def zeroize(self) -> Answer:
        """The output is None."""
        return self._call("zeroize")

    def seal(self, slot: int) -> Answer:
        """The output is the blob."""
        return self._sized("seal", SEALED_MAX, slot)

    def unseal(self, slot: int, blob: bytes) -> Answer:
        """The output is the KCV."""
        return self._kcv("unseal", slot, exact(blob), len(blob))

    def load_block(self, slot: int, block: bytes, kbpk: int) -> Answer:
        """The output is the KCV."""
        return self._kcv("load_block", slot, exact(block), len(block), kbpk)

    def export_block(self, slot: int, kbpk: int) -> Answer:
        """The output is the block."""
        return self._sized("export_block", BLOCK_MAX, slot, kbpk)

    # ---- DUKPT

    def load_dukpt(self, slot: int, block: bytes, kbpk: int, ksn: bytes) -> Answer:
        """The output is the initial key's KCV."""
        return self._kcv("load_dukpt", slot, exact(block), len(block), kbpk, exact(ksn), len(ksn))

    def dukpt_next(self, slot: int) -> Answer:
        """The output is the key serial number."""
        return self._sized("dukpt_next", KSN_MAX, slot)

    # ---- PIN entry

    def pin_begin(self, shortest: int = 4, longest: int = 12) -> Answer:
        """The output is None."""
        return self._call("pin_begin", shortest, longest)

    def pin_digit(self, digit: int) -> Answer:
        """The output is the number of digits entered."""
        return self._length("pin_digit", digit)

    def pin_back(self) -> Answer:
        """The output is the number of digits left."""
        return self._length("pin_back")

    def pin_length(self) -> Answer:
        """The output is the number of digits entered."""
        return self._length("pin_length")

    def pin_cancel(self) -> None:
        """Ends the entry."""
        self._invoke(self._library.pinmac_pin_cancel)

    def pin_block(self, slot: int, form: int, pan: str) -> Answer:
        """The output is the enciphered block."""
        text = pan.encode()
        return self._sized("pin_block", 16, slot, form, exact(text), len(text))

    def pin_enciphered(self, modulus: bytes, exponent: int, number: bytes) -> Answer:
        """The output is the enciphered PIN data, as long as the modulus."""
        out = exact(bytes(len(modulus)))
        return self._call("pin_enciphered", exact(modulus), len(modulus), exponent,
                          exact(number), len(number), out, output=lambda: bytes(out))

    # ---- MACs

    def mac(self, slot: int, algorithm: int, data: bytes) -> Answer:
        """The output is the MAC."""
        return self._sized("mac", 16, slot, algorithm, exact(data), len(data))

    def mac_verify(self, slot: int, algorithm: int, data: bytes, mac: bytes) -> Answer:
        """The output is None."""
        return self._call("mac_verify", slot, algorithm, exact(data), len(data), exact(mac),
                          len(mac))

    def mac_init(self, slot: int, algorithm: int) -> Answer:
        """The output is None."""
        return self._call("mac_init", slot, algorithm)

    def mac_update(self, data: bytes) -> Answer:
        """The output is None."""
        return self._call("mac_update", exact(data), len(data))

    def mac_final(self) -> Answer:
        """The output is the MAC."""
        return self._sized("mac_final", 16)

    def mac_final_verify(self, mac: bytes) -> Answer:
        """The output is None."""
        return self._call("mac_final_verify", exact(mac), len(mac))

    def mac_forget(self, slot: int) -> None:
        """Drops the open computation if it uses the slot."""
        self._invoke(self._library.pinmac_mac_forget, slot)

    # ---- data, random, self-test

    def _in_place(self, name: str, slot: int, iv: bytes, data: bytes) -> Answer:
        buffer = exact(data)
        answer = self._call(name, slot, exact(iv), len(iv), buffer, len(data),
                            output=lambda: bytes(buffer))
        assert answer[0] == "OK" or bytes(buffer) == data, "a refused call changed the data"
        return answer

    def encrypt(self, slot: int, iv: bytes, data: bytes) -> Answer:
        """The output is the ciphertext."""
        return self._in_place("encrypt", slot, iv, data)

    def decrypt(self, slot: int, iv: bytes, data: bytes) -> Answer:
        """The output is the clear data."""
        return self._in_place("decrypt", slot, iv, data)

    def encrypt_track(self, slot: int, track: str) -> Answer:
        """The output is the packed field."""
        text, packed = track.encode(), exact(bytes((len(track) + 1) // 2))
        return self._call("encrypt_track", slot, exact(text), len(text), packed,
                          output=lambda: bytes(packed))

    def rsa_recover(self, modulus: bytes, exponent: int, data: bytes) -> Answer:
        """The output is the recovered data."""
        buffer = exact(data)
        answer = self._call("rsa_recover", exact(modulus), len(modulus), exponent, buffer,
                            len(data), output=lambda: bytes(buffer))
        assert answer[0] == "OK" or bytes(buffer) == data, "a refused call changed the data"
        return answer

    def random(self, size: int) -> Answer:
        """The output is the random bytes."""
        buffer = exact(bytes(size))
        return self._call("random", buffer, size, output=lambda: bytes(buffer))

    def self_test(self) -> Answer:
        """The output is None."""
        return self._call("self_test")

    def self_tested(self) -> Answer:
        """The output is None."""
        return self._call("self_tested")

    # ---- for tests

    def snapshot(self) -> tuple[Any, ...]:
        """Everything that a refused call must leave alone and that can be seen from outside."""
        slots = []
        for slot in range(SLOTS):
            _, info = self.info(slot)
            slots.append((bytes(info), self.kcv(slot)))
        return (*slots, bytes(self.board.stores))
