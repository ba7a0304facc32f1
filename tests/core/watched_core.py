"""A core whose memory is searched for secrets after every call.

Each call runs on a stack of its own (pinmac_own_stack.c). Afterwards that stack and every object
in the core's .data and .bss is searched for every secret that the test has named; a secret may
lie only where the test says it lives.
"""

import ctypes
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.core.pinmac_build import library
from tests.core.pinmac_core import Core

STACK = 65536
# struct pinmac_cipher: its block size and algorithm come before the schedule, which is shorter.
SCHEDULE_AT, SCHEDULE_MAX = 16, 1024
# Calls that compute with no key and no PIN: they need not wipe the stack below them.
NO_SUMS = {f"pinmac_{name}" for name in ("info", "erase", "random", "mac_forget", "pin_digit",
                                         "pin_back", "pin_length", "self_tested")}
FILL, WIPED = b"\xA5", 2000  # of the 2,048 bytes that pinmac_wipe_stack clears
# The fake board's stores hold its secret, as a board's do; the others run the call.
NOT_THE_CORE = {"fake", "fake_stack", "call", "inside", "outside"}


@dataclass
class Secret:
    """Byte strings that give a secret away, and the objects in which it lives now."""

    patterns: set[bytes]
    homes: frozenset[str]


def key_patterns(value: bytes) -> set[bytes]:
    """Every eight bytes of a key at a multiple of four, as bytes and as words turned round."""
    found = set()
    for at in range(0, len(value) - 7, 4):
        piece = value[at:at + 8]
        found |= {piece, piece[3::-1] + piece[:3:-1]}
    return found


def schedule_patterns(algorithm: int, value: bytes) -> set[bytes]:
    """Eight bytes here and there of the key's schedule, as the core itself expands it."""
    cipher = ctypes.create_string_buffer(SCHEDULE_MAX)
    Core().function("pinmac_cipher_init")(cipher, algorithm, value, ctypes.c_size_t(len(value)))
    pieces = {cipher.raw[at:at + 8] for at in range(SCHEDULE_AT, SCHEDULE_MAX - 8, 8)}
    return {piece for piece in pieces if len(set(piece)) >= 6}


def pin_patterns(pin: str) -> set[bytes]:
    """A PIN of 12 digits as ASCII, BCD, a byte a digit and a 32-bit word a digit."""
    digits = bytes(map(int, pin))
    words = b"".join(digit.to_bytes(4, "little") for digit in digits)
    return {pin[at:at + 8].encode() for at in (0, 4)} | {bytes.fromhex(pin)} | {
        digits[at:at + 8] for at in (0, 4)} | {words[at:at + 20] for at in (0, 28)}


class WatchedCore(Core):
    """A Core that raises AssertionError after a call that left a secret behind."""

    def __init__(self, image: Path | None = None) -> None:
        self.secrets: dict[str, Secret] = {}
        self.searches = 0
        listing = subprocess.run(["nm", "-S", image or library()], capture_output=True, text=True,
                                 check=True).stdout
        rows = [line.split() for line in listing.splitlines()]
        self._objects = [(int(row[0], 16), int(row[1], 16), row[3]) for row in rows
                         if len(row) == 4 and row[2] in "bBdD"]
        super().__init__(image=image)

    def hide(self, name: str, patterns: set[bytes], *homes: str) -> None:
        """From now on this secret may lie in these objects and nowhere else."""
        self.secrets[name] = Secret(patterns, frozenset(homes))

    def move(self, name: str, *homes: str) -> None:
        """A secret that was named lives elsewhere now, or nowhere."""
        self.secrets[name].homes = frozenset(homes)

    def _invoke(self, function: Any, *arguments: Any) -> Any:
        words = (ctypes.c_long * 8)()
        kept = []  # what the words point to
        for at, argument in enumerate(arguments):
            if isinstance(argument, int):
                words[at] = argument
                continue
            if isinstance(argument, bytes):
                argument = ctypes.create_string_buffer(argument, len(argument) + 1)
            kept.append(argument)
            words[at] = ctypes.addressof(getattr(argument, "_obj", argument))
        run = self._library.fake_on_stack
        run.restype = ctypes.c_long
        stack = (ctypes.c_uint8 * STACK).in_dll(self._library, "fake_stack")
        ctypes.memset(stack, FILL[0], STACK)
        result = run(ctypes.cast(function, ctypes.c_void_p), words)
        self.search(function.__name__)
        # A refusal may come before any sum.
        done = function.restype is None or result & 0xFFFFFFFF == 0
        if done and function.__name__ not in NO_SUMS and bytes(WIPED) not in bytes(stack):
            raise AssertionError(f"after {function.__name__}: what it spilled lies in the stack")
        return result & 0xFFFFFFFF if function.restype is not None else None

    def places(self) -> dict[str, bytes]:
        """The core's memory by the names of its objects, and the stack that the call used."""
        fake = next(address for address, _, name in self._objects if name == "fake")
        base = ctypes.addressof(self.board) - fake
        found = {name: ctypes.string_at(base + address, size)
                 for address, size, name in self._objects if name not in NOT_THE_CORE}
        stack = (ctypes.c_uint8 * STACK).in_dll(self._library, "fake_stack")
        found["the stack"] = bytes(stack).lstrip(FILL)
        return found

    def search(self, after: str) -> None:
        """Look for every secret everywhere; AssertionError names one that is astray."""
        self.searches += 1
        for place, memory in self.places().items():
            # Most patterns are eight bytes: those are looked up, not looked for.
            pieces = {memory[at:at + 8] for at in range(len(memory) - 7)}
            for name, secret in self.secrets.items():
                if place in secret.homes:
                    continue
                if not secret.patterns.isdisjoint(pieces) or any(
                        pattern in memory for pattern in secret.patterns if len(pattern) != 8):
                    raise AssertionError(f"after {after}: {name} lies in {place}")
