"""Whoever pays: by a chip in the slot, or by a tap. Both verify, go online and complete.

EMV Book 3 chapter 10 in its order; EMV.md for the tap. Card data lives in the session and in
`txn.card`, and both are overwritten by `release`.
"""

import aio
import pinmac
from emv import elements, outcome
from emv.contact import ContactSession
from emv.contactless import ContactlessSession
from emv.terminal import Transaction
from errors import CardRemoved, DeviceError

from firmware.flows import moments
from firmware.flows.errors import (
    CardNotGenuine,
    ChipReaderFault,
    DeclinedByCard,
    RefusedAfterApproval,
    TapReaderFault,
    VerificationFailed,
    exchanged,
)
from firmware.ledger import record
from firmware.ledger.vault import PIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from emv.outcome import Outcome
    from emv.session import Session

    from firmware.flows.pos import Pos
    from firmware.ledger.record import Txn
    from firmware.link.acquirer import Reply
    from firmware.ui.ask import Ask

    MaybeNone = Any  # in a union: None only before `perform`

_PIN_BLOCK_FORMAT = const(0)
_SIGNED = (elements.CVM_SIGNATURE, elements.CVM_OFFLINE_PIN_SIGNATURE)


def emv_transaction(txn: "Txn") -> Transaction:
    """The transaction's own data elements: amount, date, time, and the trace number as 9F41."""
    date, time = moments.card_stamp(txn.time)
    return Transaction(txn.amount, date, time, sequence=txn.trace)


class _Payer:
    """What both have: the session's data into `txn.card`, and the end of it."""

    entry = ""
    session: "Session"

    def __init__(self, pos: "Pos", txn: "Txn") -> None:
        self.pos = pos
        self.txn = txn
        self.pin_block: bytes | None = None

    async def online_pin(self, ask: "Ask", note: str = "") -> str:
        """Let the payer type the PIN and encipher it under the working key: elements.PIN_*."""
        length = await self._guarded(ask.pin(self.txn.amount, True, note))
        if not length:
            return elements.PIN_BYPASSED
        self.pin_block = pinmac.pin_block(PIN, _PIN_BLOCK_FORMAT, self.session.track2.pan)
        return elements.PIN_ENTERED

    async def _guarded(self, question: "Awaitable[Any]") -> "Any":
        return await question

    def _fill_card(self, cvm: str) -> None:
        """What the link needs of this payer, and the receipt's facts."""
        session, facts = self.session, self.session.receipt()
        track2 = session.data.view(elements.TRACK_2_EQUIVALENT_DATA)
        self.txn.card = record.CardData(
            self.entry,
            session.track2.pan,
            session.track2.expiry,
            "" if session.psn is None else f"{session.psn:03d}",
            None if track2 is None else bytearray(track2),
            session.field55(),
            self.pin_block,
            facts["aid"],
            facts["label"],
            {
                "cryptogram": facts["arqc"] or facts["ac"],
                "tvr": facts["tvr"],
                "tsi": facts["tsi"],
                "atc": facts["atc"],
                "no_cvm": int(cvm == elements.CVM_NONE),
                "signature": int(cvm in _SIGNED),
            },
        )

    async def release(self) -> None:
        """The end, however it came: card data overwritten, the card let go."""
        if self.txn.card is not None:
            self.txn.card.wipe()
        self.pin_block = None
        self.session.wipe()


class ChipPayer(_Payer):
    """A chip card in the slot, from its reset to the second GENERATE AC."""

    entry = record.CHIP
    session: ContactSession

    def __init__(self, pos: "Pos", txn: "Txn", transaction: Transaction) -> None:
        super().__init__(pos, txn)
        self.session = ContactSession(self._exchange, pos.card_terminal, transaction)
        self._asked = False  # an offline PIN was

    async def power_on(self) -> None:
        """Reset the card. CardSilent for a mute chip, CardRemoved."""
        await exchanged(ChipReaderFault, self.pos.board.reader.power_on())
        self.pos.card_left = True

    async def _exchange(self, command: bytes) -> bytes:
        return await exchanged(ChipReaderFault, self.pos.board.reader.exchange(command))

    async def verify(self, ask: "Ask") -> None:
        """Everything up to the first GENERATE AC; the card wants to go online when this returns.

        CardError, Cancelled, TimedOut, DeclinedByCard, CardNotGenuine. Nothing has left the
        terminal yet.
        """
        session = self.session

        async def choose(labels: "list[str]") -> int:
            options = [(str(place + 1), label) for place, label in enumerate(labels[:9])]
            question = ask.choice(self.pos.words("choose-application"), options)
            return await self._guarded(question)

        async def pin(method: str, tries: "int | None") -> str:
            if method == elements.CVM_OFFLINE_PIN:
                answer = await self._offline_pin(ask, tries)
            else:
                answer = await self.online_pin(ask, self._why_online())
            await self._reading()
            return answer

        await session.application_selection(choose)
        await self._reading()
        await session.initiate_application_processing()
        await session.read_application_data()
        await session.offline_data_authentication()
        await session.processing_restrictions()
        await session.cardholder_verification(pin)
        await session.terminal_risk_management()
        await session.terminal_action_analysis()
        decision = await session.card_action_analysis()
        if session.has_tvr(elements.TVR_CDA_FAILED) and decision != elements.ONLINE:
            raise CardNotGenuine(session.oda_fault)
        if decision != elements.ONLINE:
            raise DeclinedByCard("the card answered " + decision)
        self._fill_card(session.cvm)

    async def _offline_pin(self, ask: "Ask", tries: "int | None") -> str:
        """Let the payer type the PIN that the card itself checks; lib/emv enciphers it.

        `tries` are left, this one included. Asked again, the last one was wrong.
        """
        note = "pin-last-try" if tries == 1 else ""
        if self._asked:
            self.pos.board.buzzer.beep("error")
            note = "pin-wrong-last" if tries == 1 else "pin-wrong-again"
        self._asked = True
        length = await self._guarded(ask.pin(self.txn.amount, True, note))
        return elements.PIN_ENTERED if length else elements.PIN_BYPASSED

    def _why_online(self) -> str:
        """A payer whose chip PIN is locked hears why the bank's is asked now."""
        locked = self.session.has_tvr(elements.TVR_PIN_TRIES_EXCEEDED)
        return "pin-locked-online" if locked else ""

    async def complete(self, reply: "Reply") -> None:
        """Issuer authentication, scripts and the second GENERATE AC, journalled.

        Raises RefusedAfterApproval with the reversal owed. A card that left (CardRemoved) leaves
        the record as it is; the ledger then owes the reversal (96).
        """
        if not reply.approved:
            await self._tell_declined(reply)
            return
        await self.session.online_processing(reply.code, reply.chip)
        decision = await self.session.completion()
        if decision != elements.APPROVED:
            self.txn.reverse(self.session.reversal_reason or record.REFUSED_BY_CARD)
            raise RefusedAfterApproval("the host approved, the card answered " + decision)
        facts = self.session.receipt()
        self.txn.complete(cryptogram=facts["ac"], tvr=facts["tvr"], tsi=facts["tsi"])

    async def _tell_declined(self, reply: "Reply") -> None:
        """Let the card finish. The host's no stands, whatever the card does now."""
        try:
            await self.session.online_processing(reply.code, reply.chip)
            await self.session.completion()
        except DeviceError as error:
            self.pos.faults.record("card after a decline", error)

    async def without_reply(self) -> None:
        """Tell the card that there was no answer: its second GENERATE AC. Whatever it says, the
        payment is over; a card that left or failed meanwhile is only recorded."""
        try:
            await self.session.unable_to_go_online()
        except DeviceError as error:
            self.pos.faults.record("card after no reply", error)

    async def release(self) -> None:
        """Wipe, and take the power off."""
        await super().release()
        try:
            await self.pos.board.reader.power_off()
        except DeviceError as error:
            self.pos.faults.record("chip reader", error)

    async def _reading(self) -> None:
        words = self.pos.words
        await self.pos.notice("card", words("reading-card"), (words("do-not-remove"), 24))

    async def _guarded(self, question: "Awaitable[Any]") -> "Any":
        """The answer, unless the card is pulled meanwhile: CardRemoved."""
        removed = self._until_removed()
        answer, _ = await aio.race(question, removed)
        return answer

    async def _until_removed(self) -> None:
        await self.pos.board.reader.wait_removed()
        self.pos.card_left = False
        raise CardRemoved("the card was pulled while the payer was asked")


class TapPayer(_Payer):
    """A card or phone at the antenna. `perform` is the tap, all else comes after the card left."""

    entry = record.TAP
    session: ContactlessSession

    def __init__(self, pos: "Pos", txn: "Txn") -> None:
        super().__init__(pos, txn)
        self.session = ContactlessSession(
            self._exchange, pos.card_terminal, emv_transaction(txn)
        )
        self.outcome: Outcome | MaybeNone = None
        self._gone = False

    def allowed(self) -> bool:
        """Whether an application takes this amount by tap."""
        return self.session.pre_processing() is None

    async def _exchange(self, command: bytes) -> bytes:
        return await exchanged(TapReaderFault, self.pos.board.nfc.exchange(command))

    async def perform(self) -> "Outcome":
        """The conversation, the field off as soon as all is read, and what came of it."""
        try:
            self.outcome = await self.session.perform(self._let_go)
        finally:
            if not self._gone:
                await self._let_go()
        return self.outcome

    async def _let_go(self) -> None:
        self._gone = True
        await self.pos.board.nfc.release()

    def check(self) -> None:
        """DeclinedByCard for an outcome that another try would not change."""
        if self.outcome.kind in (outcome.DECLINED, outcome.END):
            self.session.wipe()
            raise DeclinedByCard(self.outcome.reason)

    async def verify(self, ask: "Ask") -> None:
        """What the kernel asked for: online PIN, signature, the payer's device, or nothing."""
        if self.outcome.kind != outcome.GO_ONLINE:
            raise DeclinedByCard("the card approved offline, which this terminal does not book")
        if self.outcome.cvm == elements.CVM_ONLINE_PIN:
            if await self.online_pin(ask) != elements.PIN_ENTERED:
                raise VerificationFailed("the PIN was passed over at a tap")
        self._fill_card(self.outcome.cvm)

    async def complete(self, reply: "Reply") -> None:
        """Nothing more: the journalled, MAC-checked reply completed a tap."""

    async def without_reply(self) -> None:
        """The card is long gone."""
