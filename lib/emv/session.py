"""What contact and contactless share: APDUs, data, status bits, field 55, receipt, wipe."""

import tlv

from emv import elements as e
from emv.errors import CardDataError, SequenceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from emv.keys import RecoveredKeys
    from emv.store import Store
    from emv.terminal import Application, Terminal, Transaction

    MaybeNone = Any  # in a union: None only before the card was read

REQUEST = "request"
REVERSAL = "reversal"

_REQUEST_TAGS = (
    (0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82)
    + (0x9F1A, 0x9F03, 0x9F33)
    + (0x9F34, 0x9F35, 0x9F1E, 0x84, 0x9F09, 0x9F41, 0x9F63)
)
_REVERSAL_TAGS = (0x95, 0x9F1E, 0x9F10, 0x9F36, 0xDF31)

_GET_RESPONSE = b"\x00\xc0\x00\x00"
_OK = 0x9000
_ROUNDS = 4  # 61xx and 6Cxx that one command may be answered with
_DIGITS = "0123456789"


class Track2:
    """Track 2 equivalent data (57), or what 5A and 5F24 give when the card has none.

    Strings are made when asked for and not kept. `wipe` of the session ends it.
    """

    def __init__(self, data: "Store") -> None:
        self._data = data
        self._owner = data.owner

    def _nibbles(self) -> str:
        if self._data.owner is not self._owner:
            raise SequenceError("the session was wiped")
        track = self._data.view(e.TRACK_2_EQUIVALENT_DATA)
        if track is not None:
            return track.hex().upper()
        pan = self._data.need(e.APPLICATION_PAN)
        expiry = self._data.need(e.APPLICATION_EXPIRATION_DATE)
        return pan.hex().upper().rstrip("F") + "D" + expiry.hex()[:4] + "000"

    @property
    def text(self) -> str:
        """Digits with 'D' between PAN and expiry, for field 35."""
        return self._nibbles().rstrip("F")

    @property
    def pan(self) -> str:
        """8-19 digits."""
        return self._nibbles().split("D")[0]

    @property
    def expiry(self) -> str:
        """'YYMM'."""
        return self._nibbles().split("D")[1][:4]

    @property
    def service_code(self) -> str:
        """Three digits."""
        return self._nibbles().split("D")[1][4:7]

    @property
    def masked(self) -> str:
        """First 6, asterisks, last 4: all that anyone may see."""
        pan = self.pan
        return pan[:6] + "*" * (len(pan) - 10) + pan[-4:]

    def check(self) -> None:
        """CardDataError unless 57 has a PAN, an expiry date and a service code, as 5A has it."""
        text = self._nibbles()
        parts = text.rstrip("F").split("D")
        if len(parts) != 2 or not 8 <= len(parts[0]) <= 19 or len(parts[1]) < 7:
            raise CardDataError("track 2 is malformed")
        if not all(digit in _DIGITS for digit in parts[0] + parts[1]):
            raise CardDataError("track 2 has other than digits")
        if not 1 <= int(parts[1][2:4]) <= 12:
            raise CardDataError("track 2 has no such month")
        pan = self._data.view(e.APPLICATION_PAN)
        if pan is not None and pan.hex().upper().rstrip("F") != parts[0]:
            raise CardDataError("5A and 57 disagree")


class Session:
    """What the flow reads.

    data: Store, `data.get(tag) -> bytes | None`. cvm: elements.CVM_*. aid: the selected DF name.
    label: preferred name or label as the receipt prints it. psn: 0-99 or None (field 23). track2:
    None until the card has said it. reversal_reason: '06' once the card refused what the host
    approved. oda: 'SDA', 'DDA', 'CDA' or None, and oda_fault the sentence why it failed, else ''.
    `exchange` is as devices.ContactReader.exchange.
    """

    def __init__(
        self,
        exchange: "Callable[[bytes], Awaitable[bytes]]",
        terminal: "Terminal",
        transaction: "Transaction",
    ) -> None:
        self.exchange = exchange
        self.terminal = terminal
        self.transaction = transaction
        self.data: Store = terminal.store
        self._application: Application | None = None
        self.cvm = e.CVM_NONE
        self.track2: Track2 | MaybeNone = None
        self.reversal_reason: str | None = None
        self.signed_spans: list[tuple[int, int]] = []
        self.static_malformed = False
        self.keys: RecoveredKeys = terminal.keys
        self.oda: str | None = None
        self.oda_fault = ""
        self.combine = False
        self.said: list[bytes] = []
        self.arqc = b""

    # ---- beginning and end

    def begin(self) -> None:
        """Take the store and fill in the terminal's elements; TVR and TSI are zero (10.1)."""
        self.data.clear()
        self.keys.wipe()
        self.data.owner = self
        self._application = None
        self.track2 = None
        self.cvm = e.CVM_NONE
        self._forget()
        for source in (self.terminal.data, self.transaction.data):
            for tag in sorted(source):
                self.data.put(tag, source[tag])
        self.data.put(e.TERMINAL_VERIFICATION_RESULTS, bytes(5))
        self.data.put(e.TRANSACTION_STATUS_INFORMATION, bytes(2))
        self.data.put(e.UNPREDICTABLE_NUMBER, self.terminal.random(4))
        self.data.put(e.AMOUNT_AUTHORISED_BINARY, _binary(self.transaction.amount))
        self.data.put(e.AMOUNT_OTHER_BINARY, _binary(self.transaction.other))

    def wipe(self) -> None:
        """Overwrite everything that came from the card. Safe to call twice."""
        if self.data.owner is self:
            self.data.clear()
            self.keys.wipe()
        self.track2 = None
        self._forget()

    def _forget(self) -> None:
        """What authentication and cryptograms of an earlier card left."""
        self.arqc = b""
        self.oda = None
        self.oda_fault = ""
        self.combine = self.static_malformed = False
        self.signed_spans.clear()
        self.said.clear()

    def owned(self) -> None:
        """SequenceError unless this session is the one that fills the store."""
        if self.data.owner is not self:
            raise SequenceError("the session has not begun, or was wiped")

    # ---- the wire

    async def transmit(
        self, header: bytes, data: "bytes | memoryview | None" = None, answer: bool = True
    ) -> "tuple[int, int, int]":
        """One command: (SW1 SW2, where the answer begins in the store, where it ends).

        header: CLA INS P1 P2. answer: Le is sent. 61xx and 6Cxx are dealt with (Book 1 9.3.1).
        CardDataError for an answer without a status word or one that never ends.
        """
        self.owned()
        command = header
        if data is not None:
            command += bytes((len(data),)) + bytes(data)
        plain = command
        if answer:
            command += b"\x00"
        begin = self.data.used
        for _ in range(_ROUNDS):
            response = await self.exchange(command)
            size = len(response) - 2
            if size < 0 or size > 256:
                raise CardDataError("an answer has the wrong size")
            status = response[size] << 8 | response[size + 1]
            self.data.append(response, size)
            if status >> 8 == 0x61:
                command = plain = _GET_RESPONSE
                command += bytes((status & 0xFF,))
            elif status >> 8 == 0x6C:
                self.data.release(begin)  # data before a 6Cxx are no part of the answer
                command = plain + bytes((status & 0xFF,))
            else:
                return status, begin, self.data.used
        raise CardDataError("the card never comes to the end of its answer")

    def list_data(self, tag: int) -> bytes:
        """What the data object list `tag` asks for (Book 3 5.4); empty without the list."""
        place = self.data.view(tag)
        if place is None:
            return b""
        return self.concatenate(place)

    def asks_for(self, objects: int, tag: int) -> bool:
        """Whether the data object list `objects` of the card names `tag`."""
        place = self.data.view(objects)
        return place is not None and self.names(place, tag)

    def names(self, wanted: "memoryview | bytes", tag: int) -> bool:
        """Whether a data object list names `tag`. CardDataError for a malformed list."""
        try:
            return any(found == tag for found, _ in tlv.dol(wanted))
        except tlv.TlvError as error:
            raise CardDataError(str(error)) from None

    def concatenate(self, wanted: "memoryview | bytes") -> bytes:
        """The values of a list's entries, one behind the other. CardDataError beyond 252 bytes."""
        try:
            entries = list(tlv.dol(wanted))
        except tlv.TlvError as error:
            raise CardDataError(str(error)) from None
        size = sum(length for _, length in entries)
        if size > 252:
            raise CardDataError("a data object list asks for too much")
        result, at = bytearray(size), 0
        for tag, length in entries:
            row = e.find(tag)
            # A template cannot be asked for (5.4): zeros, as for an unknown element.
            if row is None or tlv.is_constructed(tag):
                tlv.fit(None, length, "b", result, at)
            else:
                tlv.fit(self.data.view(tag), length, row[2], result, at)
            at += length
        return bytes(result)

    async def get_data(self, tag: int, size: int) -> "int | None":
        """A number of `size` bytes by GET DATA (Book 3 6.5.7), or None when the card gives none.

        CardDataError for an answer that is something else.
        """
        store, mark = self.data, self.data.used
        status, begin, end = await self.transmit(bytes((0x80, 0xCA, tag >> 8, tag & 0xFF)))
        value = None
        if status == _OK:
            for found, first, last in store.walk(begin, end):
                if found == tag and last - first == size:
                    value = int.from_bytes(bytes(store.memory[first:last]), "big")
            if value is None:
                raise CardDataError("GET DATA was answered with something else")
        store.release(mark)
        return value

    # ---- status bits

    def set_tvr(self, bit: int, value: bool = True) -> None:
        """Set or reset elements.TVR_*."""
        self._set(e.TERMINAL_VERIFICATION_RESULTS, bit, value)

    def set_tsi(self, bit: int) -> None:
        """Set elements.TSI_*."""
        self._set(e.TRANSACTION_STATUS_INFORMATION, bit, True)

    def _set(self, tag: int, bit: int, value: bool) -> None:
        self.owned()
        view, at, mask = self.data.need(tag), (bit >> 8) - 1, bit & 0xFF
        view[at] = view[at] | mask if value else view[at] & ~mask & 0xFF

    def has_tvr(self, bit: int) -> bool:
        """Whether elements.TVR_* is set."""
        return bool(self.tvr[(bit >> 8) - 1] & bit & 0xFF)

    @property
    def tvr(self) -> bytes:
        """Terminal verification results, 5 bytes."""
        self.owned()
        return self.data.get(e.TERMINAL_VERIFICATION_RESULTS) or bytes(5)

    @property
    def tsi(self) -> bytes:
        """Transaction status information, 2 bytes."""
        self.owned()
        return self.data.get(e.TRANSACTION_STATUS_INFORMATION) or bytes(2)

    # ---- what the flow needs

    @property
    def application(self) -> "Application":
        """The terminal's parameters for the selected application; SequenceError before that."""
        if self._application is None:
            raise SequenceError("no application is selected")
        return self._application

    @application.setter
    def application(self, chosen: "Application") -> None:
        self._application = chosen

    def _own(self, tag: int) -> "memoryview | None":
        """An element, as long as the store is this session's."""
        return self.data.view(tag) if self.data.owner is self else None

    @property
    def aid(self) -> bytes:
        """The selected application's DF name; empty before selection."""
        return bytes(self._own(e.DEDICATED_FILE_NAME) or b"")

    @property
    def psn(self) -> "int | None":
        """The PAN sequence number, 0-99."""
        value = self._own(e.PAN_SEQUENCE_NUMBER)
        if value is None:
            return None
        if value[0] >> 4 > 9 or value[0] & 0x0F > 9:
            raise CardDataError("5F34 has other than digits")
        return (value[0] >> 4) * 10 + (value[0] & 0x0F)

    @property
    def label(self) -> str:
        """Preferred name if the terminal can print its alphabet, else label, else the AID."""
        table = self._own(e.ISSUER_CODE_TABLE_INDEX)
        latin = table is not None and table[0] == 1
        preferred = self._own(e.APPLICATION_PREFERRED_NAME) if latin else None
        text = printable(preferred) or printable(self._own(e.APPLICATION_LABEL))
        return text or _hex(self.aid)

    def pan(self) -> str:
        """The card's number; SequenceError before the records are read."""
        if self.track2 is None:
            raise SequenceError("the records are not read")
        return self.track2.pan

    def field55(self, kind: str = REQUEST) -> bytes:
        """Field 55 of a request or of a reversal (REVERSAL), tags in the protocol's order.

        Called after the second GENERATE AC it has that one's data (for the upload).
        """
        self.owned()
        result = bytearray()
        for tag in _REQUEST_TAGS if kind == REQUEST else _REVERSAL_TAGS:
            value = self.data.view(tag)
            if value is not None:
                result.extend(tlv.encode(tag, value))
        return bytes(result)

    def receipt(self) -> "dict[str, str]":
        """For the receipt's remarks, in hex: arqc, ac, cid, tvr, tsi, aid, atc; and the label."""
        self.owned()
        result = {"label": self.label, "arqc": _hex(self.arqc)}
        for name, tag in (
            ("ac", e.APPLICATION_CRYPTOGRAM),
            ("cid", e.CRYPTOGRAM_INFORMATION_DATA),
            ("tvr", e.TERMINAL_VERIFICATION_RESULTS),
            ("tsi", e.TRANSACTION_STATUS_INFORMATION),
            ("aid", e.DEDICATED_FILE_NAME),
            ("atc", e.APPLICATION_TRANSACTION_COUNTER),
        ):
            value = self.data.view(tag)
            result[name] = _hex(value)
        return result


def printable(value: "memoryview | bytes | None") -> str:
    """The ASCII in an element, without the spaces at its ends; '' for None."""
    if value is None:
        return ""
    return "".join(chr(byte) for byte in value if 0x20 <= byte < 0x7F).strip()


def _hex(value: "bytes | memoryview | None") -> str:
    """Capitals; '' for nothing (MicroPython's b"".hex() is bytes)."""
    return value.hex().upper() if value else ""


def _binary(amount: int) -> bytes:
    return min(amount, 0xFFFFFFFF).to_bytes(4, "big")
