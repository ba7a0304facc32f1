"""What a contactless tap costs: APDUs, bytes, time on the air and on SPI, our own instructions.

The deck's cards are tapped once with lib/emv in the sim board's interpreter; the conversation is
then replayed on the bare board, by the same lib/emv through the PN532's driver, and the board's
counter gives our instructions: those until the field is off, and those that follow, when the card
is gone (for `quick` the proof of its offline approval). Times are models, not measurements on a
device: each assumption stands beside its number below.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools import bare
from tools.bench import counts
from tools.sim import cards
from tools.sim.cards.authority import authority_keys
from tools.sim.chips import pn532_frames

PROGRAM = Path(__file__).with_name("tap_program.py")
CARDS = ("quick", "debit", "phone")
AIM_MS = 30
AIM_HEAP = 16 * 1024
LIMIT_S = 300

CARRIER_HZ = 13_560_000  # fc
ETU_S = 128 / CARRIER_HZ  # a bit at 106 kbit/s (ISO 14443-3 6.2.1.1 for type A: fc/128)
# ISO 14443-4 7.1.1: an I-block's PCB and CRC; neither CID nor NAD is used. R(ACK) is no more.
PROLOGUE, EPILOGUE = 1, 2
# The PN532 asks for FSDI 5, and the deck's cards have FSCI 8 (ISO 14443-4 5.1, 5.2.3).
FSD, FSC = 64, 256
# ISO 14443-3 6.2.1.1: after the reader's last bit at least (9 x 128 + 84)/fc; the reader waits as
# long after the card's (6.2.1.2, at least 1172/fc). What a card thinks beyond that is its own.
FDT_S = (9 * 128 + 84) / CARRIER_HZ
GUARD_S = 1172 / CARRIER_HZ

CORE_HZ = 240_000_000
# Cycles of the ESP32-S3's core for one instruction that a single RV32 core counts. An assumption:
# the LX7 needs one for most, more for branches taken and loads; code in flash misses its cache.
CYCLES = 2.0

# UM0701-02: a normal frame around an APDU (TFI, command, target; preamble, start code, length and
# its check sum, data check sum, postamble), the direction byte of SPI, and an ACK frame to read.
SPI_HZ = 4_000_000  # _NFC_HZ of board/espressif.py
FRAME, ACK = 1 + 3 + 5 + 2, 1 + 6


class TapError(Exception):
    """A tap could not be recorded or replayed; the message is what the interpreter said."""


@dataclass
class Tap:
    """One tap. Bytes are APDUs' and answers'; times in milliseconds; heap in bytes.

    instructions: until the field is off; after: what follows until there is an outcome.
    """

    apdus: int
    sent: int
    received: int
    air_ms: float
    spi_ms: float
    instructions: int
    after: int
    heap: int
    kept: int

    @property
    def own_ms(self) -> float:
        """Our instructions while the card is in the field, at 240 MHz."""
        return modelled_ms(self.instructions)

    @property
    def after_ms(self) -> float:
        """Those of afterwards."""
        return modelled_ms(self.after)

    @property
    def field_ms(self) -> float:
        """How long the card is in the field, its own thinking aside."""
        return self.air_ms + self.spi_ms + self.own_ms


Step = tuple[bytes, bytes]


def modelled_ms(instructions: int) -> float:
    """How long a device would be at it."""
    return instructions * CYCLES / CORE_HZ * 1000


def frame_s(size: int) -> float:
    """A standard frame of `size` bytes (ISO 14443-3 6.2.3.2): start, 8 bits and parity each, end.

    The end of communication of the reader is a bit 0 and one of silence; the card's is silence.
    """
    return (1 + 9 * size + 2) * ETU_S


def message_s(size: int, longest: int, pause: float, other: float) -> float:
    """A message in as many I-blocks as it needs (ISO 14443-4 7.5.2), all but the last answered.

    pause: what comes after this side's frames, other: after the acknowledging side's.
    """
    room, total = longest - PROLOGUE - EPILOGUE, 0.0
    while True:
        piece = min(size, room)
        total += frame_s(PROLOGUE + piece + EPILOGUE) + pause
        size -= piece
        if not size:
            return total
        total += frame_s(PROLOGUE + EPILOGUE) + other


def air_s(steps: list[Step]) -> float:
    """All frames of a conversation with the least pauses between them."""
    return sum(
        message_s(len(ask), FSC, FDT_S, GUARD_S) + message_s(len(said), FSD, GUARD_S, FDT_S)
        for ask, said in steps
    )


def spi_s(steps: list[Step]) -> float:
    """The PN532's frames on SPI; its own work and the polling of `irq` take no bytes."""
    data = sum(len(ask) + FRAME + ACK + len(said) + FRAME for ask, said in steps)
    return data * 8 / SPI_HZ


def frame(command: int, ask: bytes, said: bytes) -> tuple[str, str]:
    """What stands in a frame to the PN532, and its answer's frame (UM0701-02 7.2, 7.3)."""
    answer = pn532_frames.build(bytes((command + 1,)) + said)
    return (bytes((pn532_frames.TO_CHIP, command)) + ask).hex(), answer.hex()


def program(mode: str, steps: list[Step]) -> str:
    """The program of `tap_program.py` with what it is to do."""
    off = frame(0x32, b"\x01\x00", b"")  # RFConfiguration: the field
    begin = [frame(0x14, b"\x01", b""), frame(0x12, b"\x14", b""), frame(0x32, b"\x05", b""), off]
    found = bytes.fromhex("0101 0344 20 04 01020304 0578807002")  # one card of type A and its ATS
    asked = [frame(0x40, b"\x01" + ask, b"\x00" + said) for ask, said in steps]
    tap = [frame(0x4A, b"\x02\x00", found), *asked, frame(0x52, b"\x00", b"\x00"), off]
    given = {"ca": [key.public() for key in authority_keys().values()],
             "ack": pn532_frames.ACK.hex(), "begin": [*begin, off], "tap": tap}  # fmt: skip
    return f"MODE = {mode!r}\nGIVEN = {given!r}\n" + PROGRAM.read_text(encoding="utf-8")


def conversing(text: str) -> subprocess.Popen[str]:
    """The sim board's interpreter with a program, lib/ from its sources, to be talked with."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    return subprocess.Popen(
        [str(counts.SIM), "-c", text], cwd=counts.ROOT, text=True,
        env=clean | {"MICROPYPATH": "lib:.frozen"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def recorded(name: str) -> list[Step]:
    """A tap of the deck's card as the library exchanges it. TapError."""
    card = cards.load(name)
    card.reset("contactless")
    steps: list[Step] = []
    with conversing(program("record", [])) as process:
        assert process.stdin is not None and process.stdout is not None
        for line in process.stdout:
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "=":
                return steps
            if kind != ">":
                raise TapError(f"{name}: {line}{process.stdout.read()}")
            steps.append((bytes.fromhex(rest), card.apdu(bytes.fromhex(rest))))
            process.stdin.write(steps[-1][1].hex() + "\n")
            process.stdin.flush()
    raise TapError(f"{name}: the interpreter ended with status {process.returncode}")


def replayed(steps: list[Step]) -> tuple[int, int, int, int]:
    """Instructions until the field is off and after it, bytes of heap at the peak, and bytes kept,
    on the bare board. TapError."""
    done = bare.run(program("replay", steps), LIMIT_S)
    found = re.search(r"^figures (\d+) (\d+) (-?\d+) (-?\d+)$", done.printed, re.MULTILINE)
    if found is None:
        raise TapError(f"The bare board {done.ending}.\n{done.printed}{done.error}")
    instructions, after, heap, kept = map(int, found.groups())
    return instructions, after, heap, kept


def measure() -> dict[str, Tap]:
    """Card of the deck → its tap. TapError, BareBoardMissing."""
    result = {}
    for name in CARDS:
        steps = recorded(name)
        instructions, after, heap, kept = replayed(steps)
        result[name] = Tap(
            apdus=len(steps),
            sent=sum(len(ask) for ask, _ in steps),
            received=sum(len(said) for _, said in steps),
            air_ms=air_s(steps) * 1000,
            spi_ms=spi_s(steps) * 1000,
            instructions=instructions,
            after=after,
            heap=heap,
            kept=kept,
        )
    return result


if __name__ == "__main__":
    print(json.dumps({name: vars(tap) | {"own_ms": tap.own_ms, "field_ms": tap.field_ms}
                      for name, tap in measure().items()}, indent=1))  # fmt: skip
