"""Commands and answers: their parts, names, and what a status word says (Book 1 11, Book 3 6)."""

from __future__ import annotations

from dataclasses import dataclass

from tools.emv.errors import DecodeError

SELECT, READ_RECORD, GET_PROCESSING_OPTIONS, GENERATE_AC = 0xA4, 0xB2, 0xA8, 0xAE
EXTERNAL_AUTHENTICATE, INTERNAL_AUTHENTICATE, GET_CHALLENGE = 0x82, 0x88, 0x84
GET_DATA, VERIFY, GET_RESPONSE = 0xCA, 0x20, 0xC0

INSTRUCTIONS = {
    0xA4: "SELECT", 0xB2: "READ RECORD", 0xA8: "GET PROCESSING OPTIONS", 0xAE: "GENERATE AC",
    0x82: "EXTERNAL AUTHENTICATE", 0x88: "INTERNAL AUTHENTICATE", 0x84: "GET CHALLENGE",
    0xCA: "GET DATA", 0x20: "VERIFY", 0xC0: "GET RESPONSE", 0x1E: "APPLICATION BLOCK",
    0x18: "APPLICATION UNBLOCK", 0x16: "CARD BLOCK", 0x24: "PIN CHANGE/UNBLOCK",
    0xDA: "PUT DATA", 0xDC: "UPDATE RECORD", 0x2A: "COMPUTE CRYPTOGRAPHIC CHECKSUM",
    0xEA: "EXCHANGE RELAY RESISTANCE DATA", 0xB0: "READ BINARY", 0xD6: "UPDATE BINARY",
    0x2C: "RESET RETRY COUNTER", 0xE2: "APPEND RECORD", 0xD2: "WRITE RECORD",
}
STATUS = {
    "9000": "ok", "6283": "application blocked", "6300": "failed", "6400": "nothing changed",
    "6581": "memory failure", "6700": "wrong length",
    "6982": "security status not satisfied", "6983": "method blocked", "6984": "data invalidated",
    "6985": "conditions not satisfied", "6986": "command not allowed",
    "6987": "secure messaging data missing", "6988": "secure messaging data incorrect",
    "6A80": "wrong data", "6A81": "function not supported", "6A82": "not found",
    "6A83": "no such record", "6A84": "not enough memory", "6A86": "wrong P1 P2",
    "6A88": "data not found",
    "6D00": "unknown instruction", "6E00": "unknown class", "6F00": "no precise diagnosis",
}
# Book 3 table 14: the two bits of P1 and of the CID.
KINDS = {0x00: "AAC", 0x40: "TC", 0x80: "ARQC", 0xC0: "RFU"}
KIND = 0xC0
CDA_ASKED = 0x10
# Issuer script commands (Book 3 6.5, 10.10) and what else issuers write with.
SCRIPTS = (0x1E, 0x18, 0x16, 0x24, 0x2C, 0xDA, 0xDB, 0xDC, 0xD6, 0xE2, 0xD2)
_SECURE_MESSAGING = 0x0C


@dataclass(frozen=True)
class Command:
    """A short command. `le`: as sent, None without one."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    le: int | None

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    @property
    def name(self) -> str:
        """The instruction's name; for GENERATE AC with the kind that is asked for."""
        said = INSTRUCTIONS.get(self.ins, f"instruction {self.ins:02X}")
        return f"{said} {KINDS[self.p1 & KIND]}" if self.ins == GENERATE_AC else said

    @property
    def is_script(self) -> bool:
        """Whether an issuer sent it rather than a terminal."""
        return self.ins in SCRIPTS or (
            bool(self.cla & _SECURE_MESSAGING)
            and self.ins not in (GENERATE_AC, GET_DATA, GET_RESPONSE, READ_RECORD)
        )


def command(data: bytes) -> Command:
    """The parts of a short command. DecodeError when it is none."""
    if len(data) < 4:
        raise DecodeError(f"a command has at least four bytes, not {len(data)}")
    cla, ins, p1, p2 = data[:4]
    body, le = data[4:], None
    if len(body) == 1:
        return Command(cla, ins, p1, p2, b"", body[0])
    if body:
        size = body[0]
        if len(body) not in (1 + size, 2 + size):
            raise DecodeError(f"Lc says {size} bytes of data, {len(body) - 1} follow it")
        le = body[-1] if len(body) == 2 + size else None
        body = body[1 : 1 + size]
    return Command(cla, ins, p1, p2, body, le)


def status_words(status: str) -> str:
    """What SW1 SW2 (four hex digits) say; '' when no book says."""
    if status in STATUS:
        return STATUS[status]
    try:
        low = bytes.fromhex(status)[1]
    except (ValueError, IndexError):
        return ""
    if status.startswith("61"):
        return f"{low or 256} bytes wait"
    if status.startswith("6C"):
        return f"Le must be {low or 256}"
    if status.startswith("63C"):
        return f"failed, {low & 0x0F} tries left"
    return {"62": "warning", "63": "warning", "67": "wrong length", "69": "not allowed",
            "6A": "wrong parameters", "6B": "wrong P1 P2", "90": "ok"}.get(status[:2], "")


def record_of(sent: Command) -> str:
    """'SFI 2 record 1' of a READ RECORD."""
    return f"SFI {sent.p2 >> 3} record {sent.p1}"
