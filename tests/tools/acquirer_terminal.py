"""A small terminal for the acquirer's tests, written from PROTOCOL.md with nothing of the host's.

Messages are put together by hand, DES comes straight from `cryptography`, and the card is the
EMV arithmetic of pyemv: a second reading of the same pages.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pyemv import ac, kd

warnings.filterwarnings("ignore", module=__name__)

TMK = bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")
ISSUER_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
PREFIX = bytes.fromhex("6000030000603210320072")
DEBIT = "6225880000071234"

# Field → kind: n fixed digits, l left-justified, v/V counted digits (1 or 2 length bytes),
# a text, A text with 1 length byte, T text with 2, b bytes, B bytes with 2 length bytes.
KINDS = {
    2: "v", 3: "n6", 4: "n12", 11: "n6", 12: "n6", 13: "n4", 14: "n4", 22: "l3", 23: "n3",
    25: "n2", 26: "n2", 32: "v", 35: "v", 37: "a12", 38: "a6", 39: "a2", 41: "a8", 42: "a15",
    44: "A", 49: "a3", 52: "b8", 53: "n16", 54: "T", 55: "B", 60: "V", 61: "V", 62: "B",
    63: "T", 64: "a8",
}  # fmt: skip


def des(key: bytes, block: bytes, *, decrypt: bool = False) -> bytes:
    """ECB under an 8- or 16-byte key."""
    cipher = Cipher(algorithms.TripleDES(key * (3 if len(key) == 8 else 1)), modes.ECB())
    turn = cipher.decryptor() if decrypt else cipher.encryptor()
    return turn.update(block)


def mac(key: bytes, text: bytes) -> str:
    """MAC_CUP as PINMAC.md writes it."""
    text += bytes(-len(text) % 8)
    folded = 0
    for at in range(0, len(text), 8):
        folded ^= int.from_bytes(text[at : at + 8], "big")
    spelt = f"{folded:016X}".encode()
    first = int.from_bytes(des(key, spelt[:8]), "big")
    second = des(key, (first ^ int.from_bytes(spelt[8:], "big")).to_bytes(8, "big"))
    return second.hex().upper()[:8]


def encode_field(number: int, text: str) -> bytes:
    """One field as it travels."""
    kind, width = KINDS[number][0], int(KINDS[number][1:] or 0)
    if kind == "n":
        return bytes.fromhex(text.rjust(width + width % 2, "0"))
    if kind == "l":
        return bytes.fromhex(text.ljust(width + width % 2, "0"))
    if kind in "vV":
        length = bytes.fromhex(f"{len(text):0{2 if kind == 'v' else 4}d}")
        return length + bytes.fromhex(text + "0" * (len(text) % 2))
    if kind == "a":
        return text.encode()
    if kind == "b":
        return bytes.fromhex(text)
    data = bytes.fromhex(text) if kind == "B" else text.encode()
    return bytes.fromhex(f"{len(data):0{2 if kind == 'A' else 4}d}") + data


def encode(mti: str, fields: dict[int, str], key: bytes | None = None) -> bytes:
    """A frame without its length; with a key it gets field 64."""
    numbers = sorted(set(fields) | ({64} if key else set()))
    bitmap = sum(1 << (64 - number) for number in numbers).to_bytes(8, "big")
    text = bytes.fromhex(mti) + bitmap
    text += b"".join(encode_field(n, fields[n]) for n in numbers if n in fields)
    if key:
        text += mac(key, text).encode()
    return PREFIX + text


def decode(frame: bytes) -> tuple[str, dict[int, str]]:
    """MTI and fields of a frame without its length."""
    bitmap, at = int.from_bytes(frame[13:21], "big"), 21
    fields = {}
    for number in range(1, 65):
        if not bitmap >> (64 - number) & 1:
            continue
        kind, width = KINDS[number][0], int(KINDS[number][1:] or 0)
        if kind in "vVATB":
            size = 1 if kind in "vA" else 2
            width = int(frame[at : at + size].hex())
            at += size
        length = (width + 1) // 2 if kind in "nlvV" else width
        data = frame[at : at + length]
        at += length
        text = data.hex().upper() if kind in "nlvVbB" else data.decode()
        digits = {"n": text[-width:], "l": text[:width], "v": text[:width], "V": text[:width]}
        fields[number] = digits.get(kind, text)
    assert at == len(frame)
    return frame[11:13].hex(), fields


@dataclass
class Card:
    """A chip with its own counter. `aid` and `results` (9F34) go into field 55."""

    pan: str = DEBIT
    psn: str = "01"
    expiry: str = "3012"
    atc: int = 0
    key: bytes = ISSUER_KEY
    version: str = "12"
    results: str = "020300"
    arqc: bytes = b""
    session: bytes = b""

    def field_55(self, amount: int, kind: str = "00", **changed: str) -> str:
        """A fresh ARQC over this amount, with the elements around it; `changed` after signing."""
        self.atc += 1
        atc = f"{self.atc:04X}"
        master = kd.derive_icc_mk_a(self.key, self.pan, self.psn)
        self.session = kd.derive_common_sk(master, bytes.fromhex(atc) + bytes(6))
        tags = {
            "9F02": f"{amount:012d}", "9F03": "0" * 12, "9F1A": "0156", "95": "0000048000",
            "5F2A": "0156", "9A": "261123", "9C": kind, "9F37": "12345678", "82": "1C00",
            "9F36": atc, "9F10": f"0601{self.version}03A00000",
        }  # fmt: skip
        self.arqc = ac.generate_ac(self.session, bytes.fromhex("".join(tags.values())))
        tags |= {"9F26": self.arqc.hex(), "9F27": "80", "9F34": self.results, "9F33": "E0F8C8"}
        tags |= {name.removeprefix("t"): value for name, value in changed.items()}
        return "".join(f"{t}{len(v) // 2:02X}{v}" for t, v in tags.items() if v).upper()

    def accepts(self, field_55: str, code: str) -> bool:
        """Whether tag 91 is the issuer's answer to this card's last ARQC with that code."""
        assert field_55.startswith("910A")
        arpc, said = bytes.fromhex(field_55[4:20]), bytes.fromhex(field_55[20:24])
        wanted = ac.generate_arpc_1(self.session, self.arqc, code.encode())
        return arpc == wanted and said == code.encode()


Send = Callable[[bytes], Awaitable[bytes | None]]


@dataclass
class Terminal:
    """A till that sends frames through `send` and remembers its keys, batch and trace."""

    send: Send
    number: str = "SP000001"
    merchant: str = "898610154110001"
    batch: str = "000001"
    trace: int = 0
    tmk: bytes = TMK
    pin_key: bytes = b""
    mac_key: bytes = b""
    last: bytes = b""
    mac_good: bool = False
    header: str = ""
    taken: list[str] = field(default_factory=list)

    async def ask(self, mti: str, fields: dict[int, str], key: bytes | None = None) -> dict:
        """Send a message, return the reply's fields ({} for silence)."""
        fields = {41: self.number, 42: self.merchant} | fields
        self.last = encode(mti, fields, key)
        return self.read(mti, await self.send(self.last))

    def read(self, mti: str, frame: bytes | None) -> dict[int, str]:
        """The fields of a reply; says in `mac_good` whether its MAC is right."""
        if frame is None:
            return {}
        kind, fields = decode(frame)
        assert int(kind) == int(mti) + 10
        assert frame[:5].hex() == "6000000003"
        self.header = frame[5:11].hex()
        self.mac_good = 64 in fields and mac(self.mac_key, frame[11:-8]) == fields[64]
        return fields

    def next_trace(self) -> str:
        """The next trace number."""
        self.trace += 1
        return f"{self.trace:06d}"

    async def sign_on(self, key_set: str = "003") -> dict[int, str]:
        """Sign on; check and take the working keys."""
        request = {11: self.next_trace(), 60: f"00{self.batch}{key_set}", 63: "001"}
        reply = await self.ask("0800", request)
        if reply.get(39) == "00":
            self.take_keys(bytes.fromhex(reply[62]), 8 if key_set == "001" else 16)
        return reply

    def take_keys(self, blob: bytes, length: int) -> None:
        """Decipher field 62 and check its check values."""
        keys = []
        for at in range(0, len(blob), length + 4):
            key = des(self.tmk, blob[at : at + length], decrypt=True)
            assert des(key, bytes(8))[:4] == blob[at + length : at + length + 4]
            keys.append(key)
        self.pin_key, self.mac_key = keys[0], keys[1]
        self.taken = [key.hex() for key in keys]

    def pin_block(self, pin: str, pan: str) -> str:
        """Format 0 (ISO 9564-1 9.3.2), enciphered."""
        block = int(f"0{len(pin)}{pin}".ljust(16, "F"), 16) ^ int("0000" + pan[-13:-1], 16)
        return des(self.pin_key, block.to_bytes(8, "big")).hex().upper()

    def sale_fields(
        self, card: Card, amount: int, pin: str | None = "123456", mode: str = "05"
    ) -> dict[int, str]:
        """A sale's fields with the next trace number; `pin` None sends none."""
        fields = {
            2: card.pan, 3: "000000", 4: f"{amount:012d}", 11: self.next_trace(),
            14: card.expiry, 22: mode + ("2" if pin is None else "1"), 23: "0" + card.psn,
            25: "00", 35: f"{card.pan}D{card.expiry}220000000000", 49: "156",
            55: card.field_55(amount), 60: f"22{self.batch}00060", 41: self.number,
            42: self.merchant,
        }  # fmt: skip
        if pin is not None:
            algorithm = "0" if len(self.pin_key) == 8 else "6"
            fields |= {26: "12", 52: self.pin_block(pin, card.pan), 53: f"2{algorithm}" + "0" * 14}
        return fields

    async def sale(self, card: Card, amount: int, **how: str | None) -> dict[int, str]:
        """A whole sale; the reply's fields."""
        return await self.ask("0200", self.sale_fields(card, amount, **how), self.mac_key)

    async def repeat(self) -> dict[int, str]:
        """The last frame once more, byte for byte."""
        return self.read(self.last[11:13].hex(), await self.send(self.last))

    async def reverse(self, sale: dict[int, str], reason: str = "98", **other: str) -> dict:
        """Reverse the sale with these fields; `other` changes fields, as f4='…'."""
        kept = {n: sale[n] for n in (2, 3, 4, 11, 14, 22, 23, 25, 49, 60)}
        kept |= {39: reason} | {int(name[1:]): value for name, value in other.items()}
        return await self.ask("0400", kept, self.mac_key)


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """A frame without its length from a stream; None when it ends or breaks."""
    try:
        async with asyncio.timeout(5):
            length = await reader.readexactly(2)
            return await reader.readexactly(int.from_bytes(length, "big"))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
