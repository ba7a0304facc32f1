"""A card that shows what a reader does: answers of any length, delays, and leaving on command.

Instructions: E0 gives P1 P2 bytes; EC gives back the data it gets; ED takes data; D0 echoes after
P1 times 10 ms (and E0 after `patience_us`); F0 leaves; F1 falls silent.
"""

from tools.sim.cards import Gone, Mute

ATR_T0 = bytes.fromhex("3B6500002063CB6800")
ATR_T1 = bytes.fromhex("3BE50000813140452063686970")
ATR_BOTH = bytes.fromhex("3BE50000803140452063686970")
FCI = bytes.fromhex("6F0A8408A000000333010102")


def pattern(length: int) -> bytes:
    """What E0 answers: bytes that differ from their neighbours and from block to block."""
    return bytes(i * 7 + i // 256 & 0xFF for i in range(length))


def with_check(atr: bytes) -> bytes:
    """An ATR and its TCK (ISO 7816-3 clause 8.2.5), as every ATR that offers T=1 has."""
    check = 0
    for byte in atr[1:]:
        check ^= byte
    return atr + bytes((check,))


class PlainCard:
    """On T=0 by default; `PlainCard(t1=True)` on T=1 with an IFSC of 64."""

    name = "plain"
    contact = contactless = True
    uid = bytes.fromhex("04112233445566")
    atqa, sak = bytes.fromhex("0044"), 0x20
    ats = bytes.fromhex("0A788091024080410001")

    def __init__(self, t1: bool = False, sak: int = 0x20, uid: bytes = uid) -> None:
        self.atr = with_check(ATR_T1) if t1 else ATR_T0
        self.sak, self.uid = sak, uid
        self.resets: list[str] = []
        self.taken = b""
        self.patience_us = 0

    def reset(self, interface: str) -> None:
        self.resets.append(interface)

    def delay_us(self, command: bytes) -> int:
        if command[1] == 0xD0:
            return command[2] * 10_000
        return self.patience_us if command[1] == 0xE0 else 0

    def apdu(self, command: bytes) -> bytes:
        instruction, data = command[1], command[5 : 5 + command[4]] if len(command) > 5 else b""
        if instruction == 0xA4:
            return FCI + b"\x90\x00"
        if instruction == 0xE0:
            return pattern(command[2] << 8 | command[3]) + b"\x90\x00"
        if instruction in (0xEC, 0xD0):
            return (command[5:] if len(command) > 261 else data) + b"\x90\x00"
        if instruction == 0xED:
            self.taken = data
            return b"\x90\x00"
        if instruction == 0xF0:
            raise Gone
        if instruction == 0xF1:
            raise Mute
        return b"\x6d\x00"
