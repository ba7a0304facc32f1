"""The composition root and supervisor: `run(board)`.

Boot brings up, in this order, the fault log, the keys, parameters, the books (what a power cut
left is decided there), the acquirer's link and the self-test; then the counter task logs in and
trades. Two named tasks must live: `counter` and `watchdog`. What falls out of the counter is a
fault of the program: it is recorded, shown, and the counter starts again at idle; too often, and
the board restarts. Money in flight is the journal's: leaving a transaction's block decides it.
"""

import asyncio
import time

import aio
import pinmac
from emv.terminal import Terminal

from firmware.care.faults import FaultLog
from firmware.care.operators import Operators
from firmware.estate import keystore
from firmware.estate.errors import EstateError
from firmware.estate.parameters import Parameters
from firmware.flows import idle, printing
from firmware.flows.pos import Pos
from firmware.flows.selftest import self_test
from firmware.ledger.errors import LedgerError
from firmware.ledger.ledger import Ledger
from firmware.ledger.vault import FileCorrupt, Vault
from firmware.link.acquirer import Link
from firmware.ui.screens import Screens
from firmware.ui.wording import Wording
from firmware.version import BUILD_TIME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.devices import Board

_FEED_MS = const(1000)
_FALLS = const(3)
_FALLS_MS = const(300_000)
_SHOWN_S = const(60)

# What keeps a terminal from trading until the workshop or a supervisor has looked.
_UNUSABLE = (EstateError, FileCorrupt, LedgerError, pinmac.Error, idle.CareError, OSError)


def run(board: "Board") -> None:
    """Be a terminal until the power goes."""
    asyncio.run(_main(board))


async def _main(board: "Board") -> None:
    faults = FaultLog("/data", board.clock)
    words = Wording()
    screens = Screens(board.display, words)
    pos = Pos(board, words, screens, faults)
    supervisor = _Supervisor(pos)
    supervisor.start("watchdog", _watchdog(board, supervisor))
    supervisor.start("pad", pos.pad.watch())
    supervisor.start("counter", _counter(pos))
    await supervisor.watch()


async def _counter(pos: Pos) -> None:
    """Boot once, then trade for ever; after a fall it starts again at idle, without booting."""
    if not pos.booted:
        await _boot(pos)
        pos.booted = True
    await idle.idle(pos)


async def _boot(pos: Pos) -> None:
    """Bring everything up, or say why not and wait to be restarted."""
    await pos.notice("wait", pos.words("starting"), (pos.words("please-wait"), 24))
    try:
        _bring_up(pos)
    except _UNUSABLE as error:
        await _stand_still(pos, error)
    if not await self_test(pos, at_boot=True):
        await _restart_on_key(pos)
    pos.board.started(True)


def _bring_up(pos: Pos) -> None:
    """Keys, parameters, clock floor, books, operators, link: each needs the one before."""
    board, vault = pos.board, Vault()
    cause = board.reset_cause()
    if cause == "watchdog":
        pos.faults.note("boot", "the watchdog restarted the board")
    for sentence in keystore.unseal_all():
        pos.faults.note("keys", sentence)
    pos.shop = Parameters.load(vault)
    pos.words.speak(pos.shop.language)
    if board.clock.now() < BUILD_TIME:
        board.clock.set(BUILD_TIME)
    pos.ledger = Ledger("/journal", vault, board.clock)
    if board.clock.now() < pos.ledger.stamp:
        board.clock.set(pos.ledger.stamp)
    for sentence in pos.ledger.notices:
        pos.faults.note("journal", sentence)
    for txn in pos.ledger.recover():
        pos.faults.note("journal", f"trace {txn.trace} was cut off: now {txn.state_name}")
    pos.operators = Operators("/data", vault.mac, pinmac.random)
    pos.operators.load()
    pos.link = Link(pos.shop, pos.ledger, board.clock, board.radio, print)
    pos.card_terminal = Terminal(random=pinmac.random, authorities=pos.shop.card_keys())
    pos.unprinted = printing.due(pos.ledger)


async def _stand_still(pos: Pos, error: Exception) -> None:
    """The terminal cannot trade: say why and what to do; a key, or a minute, tries again.

    A start that says so is over, and no loop; an image on trial is not kept for it.
    """
    pos.faults.record_unexpected("boot", error)
    pos.board.started(False)
    words = pos.words
    title, todo = words.fault(error)
    lines = [(words("test-failed"), 24), (todo, 24), (str(error), 16)]
    await pos.ask.message("bad", title, lines, (("ENTER", "do-restart"),), _SHOWN_S)
    pos.board.restart()
    await asyncio.sleep(_SHOWN_S)


async def _restart_on_key(pos: Pos) -> None:
    """Something essential failed its test, and the page said so."""
    pos.board.started(False)
    await pos.notice("bad", pos.words("restarting"))
    pos.board.restart()
    await asyncio.sleep(_SHOWN_S)


async def _watchdog(board: "Board", supervisor: "_Supervisor") -> None:
    """Feed it only while every named task is alive."""
    while True:
        if supervisor.all_alive():
            board.feed_watchdog()
        await asyncio.sleep_ms(_FEED_MS)


class _Supervisor(aio.Supervisor):
    """Named tasks; one that ends is recorded, shown and started again, or the board restarts."""

    def __init__(self, pos: Pos) -> None:
        super().__init__(self._on_fault)
        self._pos = pos
        self._fallen: list[tuple[str, Exception | None]] = []
        self._wake = asyncio.Event()
        self._falls = 0
        self._first_fall = 0

    def _on_fault(self, name: str, error: "Exception | None") -> None:
        self._fallen.append((name, error))
        self._wake.set()

    async def watch(self) -> None:
        """For ever: pick fallen tasks up."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._fallen:
                name, error = self._fallen.pop(0)
                await self._pick_up(name, error)

    async def _pick_up(self, name: str, error: "Exception | None") -> None:
        pos = self._pos
        if error is None:
            pos.faults.record(name, None)
        else:
            pos.faults.record_unexpected(name, error)
        if name != "counter" or isinstance(error, MemoryError) or self._too_often():
            pos.board.restart()
            return
        words = pos.words
        title, todo = words.fault(error) if error else words.fault(Exception())
        pos.board.lamps.show("off")
        pos.board.buzzer.beep("error")
        await pos.notice("bad", title, (todo, 24), (words("restarting"), 24))
        await asyncio.sleep_ms(2 * _FEED_MS)
        pos.tidy()
        self.start("counter", _counter(pos))

    def _too_often(self) -> bool:
        """More than three falls within five minutes."""
        now = time.ticks_ms()
        if not self._falls or time.ticks_diff(now, self._first_fall) > _FALLS_MS:
            self._falls, self._first_fall = 0, now
        self._falls += 1
        return self._falls > _FALLS
