"""The recorded card: answers the library's requests with what the recording has for them.

In order, with these freedoms. Le may differ. The order of GET DATA, INTERNAL AUTHENTICATE, GET
CHALLENGE and VERIFY between the records and GENERATE AC is the terminal's (Book 3 8.2), and one of
them that the library has no use for is passed over. Of a request that is made by a data object
list, elements that the terminal decides may differ: they are shown, and the card's answer stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.emv import apdu, conversation, tree
from tools.emv.conversation import Conversation
from tools.emv.errors import DecodeError
from tools.emv.recording import Exchange

_FREE = (
    apdu.GET_DATA,
    apdu.INTERNAL_AUTHENTICATE,
    apdu.GET_CHALLENGE,
    apdu.VERIFY,
    apdu.GET_RESPONSE,
)
_TRIES = 0x9F17


@dataclass
class Difference:
    """An element of a request: as recorded, and as the library had it."""

    tag: int
    recorded: bytes
    sent: bytes


@dataclass
class Answer:
    """What the card says. `exchange`: None when the recording has none and the rules give it."""

    data: bytes | str
    exchange: Exchange | None
    differences: list[Difference] = field(default_factory=list)
    note: str = ""
    passed_over: list[Exchange] = field(default_factory=list)


class Unexpected(Exception):
    """The library's request is not the recording's. `why`: what differs, a sentence."""

    def __init__(self, sent: bytes, expected: Exchange | None, why: str) -> None:
        super().__init__(why)
        self.sent = sent
        self.expected = expected
        self.why = why

    @property
    def decision(self) -> bool:
        """Whether both ask for a cryptogram, of different kinds."""
        if self.expected is None:
            return False
        ours, theirs = apdu.command(self.sent), self.expected.parts
        return ours.ins == apdu.GENERATE_AC == theirs.ins and bool(
            (ours.p1 ^ theirs.p1) & apdu.KIND
        )


class RecordedCard:
    """`given`: tags that the person fixed in `--terminal`; a request that differs in them is
    another request, which the recorded answer does not answer."""

    def __init__(
        self, exchanges: list[Exchange], found: Conversation, given: set[int] | None = None
    ) -> None:
        self.exchanges = exchanges
        self.found = found
        self.given = given or set()
        self.used = [False] * len(exchanges)
        self.at = 0  # the first that is not used
        self.last = -1  # the one that was used last
        self.spare = conversation.unnamed_records(found) | conversation.directory_readings(found)

    @property
    def expected(self) -> Exchange | None:
        """The next exchange of the recording, or None behind its end."""
        return self.exchanges[self.at] if self.at < len(self.exchanges) else None

    @property
    def left(self) -> list[Exchange]:
        """Exchanges that nobody asked for."""
        return [each for each, used in zip(self.exchanges, self.used) if not used]

    def answer(self, sent: bytes) -> Answer:
        """The recorded answer. Unexpected when there is none."""
        command = apdu.command(sent)
        place, passed = self._find(command)
        if place is None:
            bridge = self._bridge(command)
            if bridge is not None:
                return bridge
            expected = self.expected
            raise Unexpected(sent, expected, self._why(command, expected))
        found = self.exchanges[place]
        differences, note = self._differences(command, found), ""
        if place != self.at and not passed:
            note = "recorded at another place; the order is the terminal's"
        for skipped in passed:
            self.used[skipped.number - 1] = True
        self.used[place] = True
        self.last = place
        while self.at < len(self.used) and self.used[self.at]:
            self.at += 1
        return Answer(found.answer, found, differences, note, passed)

    def _find(self, sent: apdu.Command) -> tuple[int | None, list[Exchange]]:
        """The place in the recording, and what is passed over on the way."""
        behind = self.last + 1
        if behind < len(self.used) and not self.used[behind] and self._fits(sent, behind):
            free = all(self._free(place) for place in range(self.at, behind))
            if free and sent.ins in _FREE:
                return behind, []
            if behind == self.at:
                return behind, []
        passed: list[Exchange] = []
        for place in range(self.at, len(self.exchanges)):
            if self.used[place]:
                continue
            if self._fits(sent, place):
                return place, [] if sent.ins in _FREE else passed
            other = self.exchanges[place].parts
            # The next VERIFY is not the one after it; only data may be had in any order.
            again = sent.ins == other.ins and sent.ins not in (
                apdu.GET_DATA, apdu.READ_RECORD, apdu.SELECT
            )
            if again or not self._free(place):
                return None, []
            passed.append(self.exchanges[place])
        return None, []

    def _free(self, place: int) -> bool:
        """Whether others may go before it: its order is the terminal's, or it reads a record or a
        directory that no transaction needs."""
        each = self.exchanges[place]
        return each.parts.ins in _FREE or each.number in self.spare

    def _fits(self, sent: apdu.Command, place: int) -> bool:
        return not self._fault(sent, self.exchanges[place])

    def _fault(self, sent: apdu.Command, recorded: Exchange) -> str:
        """Why the request is not the recorded one; '' when it is."""
        other = recorded.parts
        if sent.ins == apdu.GET_RESPONSE == other.ins:
            return ""
        first, second = sent.header, other.header
        if sent.ins == apdu.GENERATE_AC == other.ins and sent.p1 & ~apdu.CDA_ASKED & 0xFF == (
            other.p1 & ~apdu.CDA_ASKED & 0xFF
        ):
            first = second  # whether CDA is asked for is the terminal's decision
        if first != second:
            return "another command"
        if sent.data == other.data:
            return ""
        if len(sent.data) != len(other.data):
            return f"{len(sent.data)} bytes of data, recorded were {len(other.data)}"
        if sent.ins == apdu.VERIFY and other.p2 & 0x08:
            return ""  # enciphered with fresh random bytes
        differences = self._differences(sent, recorded)
        if not differences:
            return "other data"
        fixed = [each.tag for each in differences if each.tag in self.given]
        if fixed:
            tags = ", ".join(f"{tag:X}" for tag in fixed)
            return f"other data in {tags}, as --terminal has it"
        return ""

    def _differences(self, sent: apdu.Command, recorded: Exchange) -> list[Difference]:
        """Element by element, where the request is made by a list of the card."""
        asked = self.found.asked.get(recorded.number)
        if asked is None or sent.ins != recorded.parts.ins or sent.data == recorded.parts.data:
            return []
        data = sent.data
        if asked.objects == conversation.PDOL:
            data = tree.first(tree.try_parse(data), 0x83) or b""
        wanted = [(tag, len(value)) for tag, value in asked.values]
        try:
            values = tree.split(wanted, data)
        except DecodeError:
            return []
        return [
            Difference(tag, said, value)
            for (tag, value), (_, said) in zip(values, asked.values)
            if value != said
        ]

    def _why(self, sent: apdu.Command, expected: Exchange | None) -> str:
        if not self._selects():
            return (
                "the recording begins behind the SELECT of its application: what the card "
                "answered there, and with it the PDOL, is not known"
            )
        if expected is None:
            return "the recording ends here"
        if sent.ins == apdu.GENERATE_AC == expected.parts.ins:
            asked, kind = (apdu.KINDS[p1 & apdu.KIND] for p1 in (sent.p1, expected.parts.p1))
            if asked != kind:
                second = any(self.used[at] and each.parts.ins == apdu.GENERATE_AC
                             for at, each in enumerate(self.exchanges))
                what = "answers of the issuer" if second else "TVR"
                return (
                    f"the library asks for {asked}, the recorded terminal asked for {kind}: their "
                    f"{what} or their action codes differ"
                )
        return self._fault(sent, expected)

    def _selects(self) -> bool:
        """Whether the recording has any SELECT."""
        return any(each.parts.ins == apdu.SELECT for each in self.exchanges)

    def _bridge(self, sent: apdu.Command) -> Answer | None:
        """Where a recorded terminal took a shorter way to the same application (Book 1 12.3), or
        did not look how many PIN tries are left, which changes nothing (Book 3 10.5.1)."""
        if sent.ins == apdu.GET_DATA and sent.p1 << 8 | sent.p2 == _TRIES:
            return Answer(b"\x6a\x88", None, note="the recorded terminal did not ask for it")
        if sent.ins not in (apdu.SELECT, apdu.READ_RECORD):
            return None
        expected = self.expected
        if expected is None or not self._selects() or any(
            each.parts.ins == apdu.GET_PROCESSING_OPTIONS
            for each, used in zip(self.exchanges, self.used)
            if used
        ):
            return None
        if self.found.interface == "contactless":
            return self._directory(sent)
        if sent.ins == apdu.READ_RECORD:
            # A directory is read up to 6A83; a terminal that found what it wanted stops before.
            if expected.parts.ins == apdu.SELECT and self.last >= 0:
                return Answer(b"\x6a\x83", None, note="the recorded terminal read no further")
            return None
        if sent.data == conversation.PSE:
            names = [each.parts.data for each in self.exchanges if each.parts.ins == apdu.SELECT]
            if conversation.PSE not in names:
                note = "the recorded terminal did not look for a directory"
                return Answer(b"\x6a\x82", None, note=note)
            return None
        if sent.p2 & 0x02:
            return Answer(b"\x6a\x82", None, note="the recorded terminal asked for no other")
        if expected.parts.ins == apdu.GET_PROCESSING_OPTIONS:
            return self._selected_before(sent)
        return None

    def _directory(self, sent: apdu.Command) -> Answer | None:
        """A PPSE of the applications that the recording selects, where it has none."""
        names = [each.parts.data for each in self.exchanges if each.parts.ins == apdu.SELECT]
        if sent.data != conversation.PPSE or conversation.PPSE in names:
            return None
        entries = b"".join(
            tree.encode(0x61, tree.encode(conversation.AID, aid)) for aid in self.found.aids
        )
        inside = tree.encode(0xA5, tree.encode(0xBF0C, entries))
        data = tree.encode(0x6F, tree.encode(0x84, conversation.PPSE) + inside)
        note = "the recording has no directory; one with what it selects"
        return Answer(data + b"\x90\x00", None, note=note)

    def _selected_before(self, sent: apdu.Command) -> Answer | None:
        """The one SELECT of the recording was both the candidate's and the final one."""
        for step in reversed(self.found.steps):
            place = step.exchanges[0] - 1
            if step.command.ins != apdu.SELECT or not self.used[place]:
                continue
            if step.command.data != sent.data or step.status is None:
                return None
            note = "selected once in the recording; its answer again"
            return Answer(step.data + step.status.to_bytes(2, "big"), None, note=note)
        return None

