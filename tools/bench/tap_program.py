"""A tap by lib/emv inside MicroPython; `tap.py` puts MODE and GIVEN before it.

record: each APDU is printed and its answer read. replay: answers come from the recorded steps, and
the figures of a warm tap are printed: instructions, the heap's peak over what was there before,
and what is left of it afterwards. The last two come from taps of their own, with a collection at
each APDU, so that they do not count garbage; instructions are those of a tap without one.
"""
# ruff: noqa: F821 - MODE and GIVEN are written before this text

import gc
import sys

from emv.authority import CaPublicKey
from emv.contactless import ContactlessSession
from emv.terminal import Terminal, Transaction, default_applications


class Source:
    """A counter for random numbers: a replay asks what the recording asked."""

    value = 1

    def __call__(self, size: int) -> bytes:
        self.value = (self.value * 1103515245 + 12345) & 0x3FFFFFFF
        return self.value.to_bytes(4, "big")[-size:]


class Reader:
    """The recorded card."""

    def __init__(self, steps: list) -> None:
        self.steps = [(bytes.fromhex(ask), bytes.fromhex(said)) for ask, said in steps]
        self.at = 0
        self.metered = False
        self.before = self.live = 0

    async def exchange(self, command: bytes) -> bytes:
        """The next answer; the question must be the recorded one."""
        if self.metered:
            gc.collect()
            self.live = max(self.live, gc.mem_alloc() - self.before)
        ask, said = self.steps[self.at]
        if ask != command:
            raise ValueError(f"{command.hex()} was not asked when this was recorded")
        self.at += 1
        return said


class Wire:
    """The card at the other end of this program's input and output."""

    async def exchange(self, command: bytes) -> bytes:
        """One APDU."""
        print(">", command.hex())
        return bytes.fromhex(sys.stdin.readline().strip())


def tapped(pos: Terminal, reader: "Reader | Wire") -> str:
    """One tap; the outcome."""
    pos.random = Source()
    session = ContactlessSession(reader.exchange, pos, transaction)
    try:
        session.perform().send(None)
    except StopIteration as done:
        kind = done.value.kind
        session.wipe()
        return kind
    raise RuntimeError("the library waited for something")


def figures(pos: Terminal, reader: Reader) -> "tuple[int, int, int]":
    """See this program's first lines."""
    import cpu

    for _ in range(2):
        gc.collect()
        gc.collect()
        reader.at, begun = 0, cpu.instructions()
        tapped(pos, reader)
        instructions = cpu.instructions() - begun
    for _ in range(2):
        gc.collect()
        reader.at, reader.live, reader.metered, reader.before = 0, 0, True, gc.mem_alloc()
        tapped(pos, reader)
        gc.collect()
        kept = gc.mem_alloc() - reader.before
    return instructions, reader.live, kept


applications = default_applications()
for each in applications:
    each.contactless_floor = 100_000  # a small tap may end without the host
# The bare board has no SHA-1: there a tap is replayed without CA keys, all its APDUs the same.
keys = [CaPublicKey.from_text(key) for key in GIVEN["ca"]] if MODE == "record" else []
pos = Terminal(Source(), applications=applications, authorities=keys)
transaction = Transaction(1234, "261123", "120000")
if MODE == "record":
    print("=", tapped(pos, Wire()))
else:
    print("figures", *figures(pos, Reader(GIVEN["steps"])))
