"""The terminal as a flow sees it: devices, questions, books, the acquirer, and who is at work."""

import gc

import aio
from errors import DeviceError

from firmware.flows.errors import PayerError
from firmware.flows.pad import Pad
from firmware.link.errors import NotSignedOn, Refused
from firmware.ui.ask import Ask, Cancelled, TimedOut
from firmware.ui.screens import Screens, yuan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from emv.terminal import Terminal

    from firmware.care.faults import FaultLog
    from firmware.care.operators import Operators
    from firmware.devices import Board
    from firmware.estate.parameters import Parameters
    from firmware.ledger.ledger import Ledger
    from firmware.ledger.record import Txn
    from firmware.link.acquirer import Link, Reply
    from firmware.ui.wording import Wording

_BRIEF_S = const(3)
_REMOVE_S = const(30)
_FAILED_S = const(30)
_OWED_S = const(120)


class Pos:
    """What flows share. Made once by `app`, with everything that boot has brought up.

    board: the devices; shop: the terminal's parameters; operator: number of who is logged in, ''
    for nobody; booted: nothing of this is missing any more; paying: a payment began, so its end is
    told; payment: its newest record; card_left: a card that was used is still in the slot, and is
    not to be used again; pad: the same of the antenna; unprinted: a receipt is due.
    """

    shop: "Parameters"
    ledger: "Ledger"
    link: "Link"
    operators: "Operators"
    card_terminal: "Terminal"

    def __init__(
        self,
        board: "Board",
        words: "Wording",
        screens: Screens,
        faults: "FaultLog",
    ) -> None:
        self.board = board
        self.words = words
        self.screens = screens
        self.faults = faults
        self.ask = Ask(board.keypad, screens, board.buzzer)
        self.operator = ""
        self.card_left = False
        self.pad = Pad(board)
        self.booted = False
        self.paying = False
        self.payment: Txn | None = None
        self.unprinted = False

    def require_signed_on(self) -> None:
        """NotSignedOn unless the working keys are there: before a payer is asked for anything."""
        if not self.link.signed_on:
            raise NotSignedOn("sign on first")

    async def take_card(self) -> None:
        """请取卡, until the card is out or half a minute is over; it is not used again even so."""
        if not self.card_left or not await self._card_inside():
            return
        words = self.words
        self.board.buzzer.beep("alert")
        self.screens.notice("card", words("remove-card"), [(words("take-your-card"), 24)])
        try:
            await aio.race(self._removed(), self.ask.cancel(_REMOVE_S))
        except (TimedOut, DeviceError) as error:
            self.faults.record("card left in the slot", error)

    async def _card_inside(self) -> bool:
        try:
            self.card_left = await self.board.reader.present()
        except DeviceError as error:
            self.faults.record("chip reader", error)
            self.card_left = False
        return self.card_left

    async def _removed(self) -> None:
        await self.board.reader.wait_removed()
        self.card_left = False

    async def notice(self, state: str, title: str, *lines: "tuple[str, int]") -> None:
        """Put a screen without a question up. `title` and lines are text."""
        self.screens.notice(state, title, list(lines))
        await self.screens.show()

    async def online(self, work: "Awaitable[Any]", title: str) -> "Any":
        """The result of a conversation that moves no money: 取消 may end it. Cancelled."""
        words = self.words
        self.screens.notice(
            "wait", words(title), [(words("please-wait"), 24)], (("CANCEL", "do-end"),)
        )
        seconds = (self._connect_ms() + self.shop.reply_ms) // 1000
        return await self._converse(work, seconds, lambda: True)

    async def authorise(self, txn: "Txn") -> "Reply":
        """The acquirer's answer to a payment. LinkError.

        取消 ends it (Cancelled) as long as nothing of this payment has left the terminal; after
        that the screen says why it cannot.
        """
        words, reply_ms = self.words, self.shop.reply_ms
        ends = []  # the first of the two decides: 取消 or the payment's leaving

        def may_cancel() -> bool:
            ends.append("cancelled")
            return ends[0] == "cancelled"

        async def leaving() -> None:
            ends.append("left")
            if ends[0] != "left":
                raise Cancelled("ended just before the payment left")
            self.ask.restart(reply_ms // 1000)
            self._payment_online("going-online", txn.amount, (words("cannot-cancel"), 16))
            await self.screens.show()

        owed = len(self.ledger.owed())
        settling = (words("settling-owed"), 24) if owed else (words("please-wait"), 24)
        self._payment_online("connecting", txn.amount, settling, (("CANCEL", "do-end"),))
        seconds = (self._connect_ms() + owed * reply_ms) // 1000
        return await self._converse(self.link.authorise(txn, leaving), seconds, may_cancel)

    def _payment_online(
        self,
        title: str,
        fen: int,
        why: "tuple[str, int]",
        hints: "tuple[tuple[str, str], ...]" = (),
    ) -> None:
        lines = [(yuan(fen), 40), why]
        if self.card_left:
            lines.append((self.words("do-not-remove"), 16))
        self.screens.notice("wait", self.words(title), lines, hints)

    def _connect_ms(self) -> int:
        return int(self.shop.connect_ms * self.shop.connect_tries)

    async def _converse(
        self, work: "Awaitable[Any]", seconds: int, may_cancel: "Callable[[], bool]"
    ) -> "Any":
        try:
            return await self.ask.during(work, seconds, may_cancel)
        finally:
            self.board.keypad.clear()

    async def say(self, state: str, title: str, *lines: "tuple[str, int]") -> None:
        """A message that is read and closed. `title` and lines are text."""
        self.board.buzzer.beep("ok" if state == "ok" else "error")
        await self.ask.message(state, title, list(lines))

    async def tell(self, error: Exception) -> None:
        """A fault in words, what to do, and what it means for the money.

        A payment that failed is closed by a key: half a minute if nothing was charged, two minutes
        if a reversal is owed, so that nobody charges again unawares.
        """
        words = self.words
        meaning, todo = words.fault(error)
        if isinstance(error, Refused):
            meaning, todo = words.code(error.code)
            todo += " (" + words("code-is", error.code) + ")"
        if not self.paying:
            await self.say("bad", meaning, (todo, 24))
            return
        owed = self.payment is not None and self.payment.owed
        lines = [(meaning, 24), (todo, 16)]
        lines.append((words("reversal-owed" if owed else "not-charged"), 24))
        others = len(self.ledger.owed()) - int(owed)
        if others:
            lines.append((words("owed", others), 16))
        self.board.buzzer.beep("error")
        await self.ask.message(
            "bad",
            words("failed" if owed or not isinstance(error, PayerError) else "declined"),
            lines,
            seconds=_OWED_S if owed else _FAILED_S,
        )

    async def tell_ended(self, error: "Cancelled | TimedOut") -> None:
        """A payment that the payer or nobody ended: brief, and that nothing was charged."""
        words = self.words
        title = words("timed-out" if isinstance(error, TimedOut) else "cancelled")
        self.board.buzzer.beep("alert")
        self.screens.notice(
            "warn", title, [(words("not-charged"), 24)], (("ENTER", "do-close"),)
        )
        await self.ask.acknowledge(("ENTER",), _BRIEF_S)

    def free_memory(self) -> int:
        """Bytes free on the heap, after a collection."""
        gc.collect()
        return gc.mem_free()

    def tidy(self) -> None:
        """After every flow, however it ended: memory, keys and lamps as idle wants them.

        A tap that was broken off has no payer who would wipe what was read of it. The collection
        is also a wipe: what it frees, it clears.
        """
        if self.booted and self.card_terminal.store.owner is not None:
            self.card_terminal.store.clear()
        self.board.keypad.clear()
        self.board.lamps.show("idle")
        gc.collect()
