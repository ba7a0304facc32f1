"""安全模式: what still works when the terminal does not come up, and nothing that needs more.

Reached when starts went round in a loop, or when a folder's flash cannot be read. It opens no
file, no key and no network: it says what happened in both languages, puts it on paper, tells a
workstation at the console's cable and takes a new image from it (flows/cable.py), and tries again
when it is told to. The books stay as they are. An older image is started only by a person's key,
since it may not know what a newer one wrote.
"""

import asyncio

import aio
import escpos
from errors import DeviceError

from firmware.estate.errors import ImageRefused
from firmware.flows import cable
from firmware.ui.ask import Ask
from firmware.ui.screens import Screens
from firmware.ui.wording import Wording
from firmware.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.devices import Board

LOOP = "safe-loop"
STORAGE = "safe-storage"

_FEED_MS = const(1000)
# After this time without a key it tries again: nobody may be there to press one.
_ALONE_S = const(600)
_READ_S = const(10)
_KEYS = (("ENTER", "do-restart"), ("MENU", "do-report"), ("FUNC", "do-other-image"))


def run(board: "Board", reason: str, detail: object) -> None:
    """Stay until the restart. `reason` is a text's id, `detail` what it is filled with."""
    asyncio.run(_main(_SafeMode(board, reason, detail)))


async def _main(mode: "_SafeMode") -> None:
    feeding = asyncio.create_task(_feed(mode.board))
    try:
        await mode.stay()
    finally:
        feeding.cancel()


async def _feed(board: "Board") -> None:
    while True:
        board.feed_watchdog()
        await asyncio.sleep_ms(_FEED_MS)


class _SafeMode:
    def __init__(self, board: "Board", reason: str, detail: object) -> None:
        self.board = board
        self._reason = reason
        self._detail = detail
        self._words = Wording()
        self._screens = Screens(board.display, self._words)
        self._ask = Ask(board.keypad, self._screens, board.buzzer)

    async def stay(self) -> None:
        """Show the page, do what a key says, until one says restart."""
        while True:
            key, line = await aio.race(self._page(), self.board.console.line())
            if line is not None:
                await self._talk(line)
            elif key == "MENU":
                await self._report()
            elif key == "FUNC" and not self.board.other_image():
                await self._say("bad", "safe-no-image")
            else:
                self._restart()

    def _restart(self) -> None:
        self.board.started(False)
        self.board.restart()

    async def _page(self) -> str:
        words = self._words
        lines = [(text.format(self._detail), 16) for text in words.both(self._reason)]
        lines += [(text, 16) for text in words.both("safe-todo")]
        lines.append((words.both("safe-keys")[-1], 16))  # the keys' own line is in Chinese
        return await self._ask.message("bad", self._both("safe-mode"), lines, _KEYS, _ALONE_S)

    async def _talk(self, line: str) -> None:
        """Answer the workstation, and take its image if it brings one."""
        board, words = self.board, self._words
        reason = words.both(self._reason)[-1].format(self._detail)
        status = {
            "serial": board.serial,
            "version": VERSION,
            "image": board.image(),
            "cause": board.reset_cause(),
            "reason": reason,
        }
        if not cable.answer(board, line, status):
            return
        try:
            await cable.update(board, line, self._progress)
        except ImageRefused:
            await self._say("bad", "safe-no-update")
        else:
            self._restart()

    async def _progress(self, percent: int) -> None:
        lines = [(text, 24) for text in self._words.both("safe-updating")] + [(f"{percent} %", 40)]
        self._screens.notice("wait", self._both("safe-mode"), lines)
        await self._screens.show()

    async def _report(self) -> None:
        """What the workshop asks about, on paper."""
        board = self.board
        paper = escpos.Document()
        paper.align("center")
        paper.line(self._both("safe-mode"))
        paper.align("left")
        paper.rule()
        for text in self._words.both(self._reason):
            paper.line(text.format(self._detail))
        for name, value in (
            ("serial-number", board.serial),
            ("version", f"{VERSION} {board.image()}"),
            ("safe-cause", board.reset_cause()),
        ):
            paper.columns(self._both(name), value)
        paper.feed(4)
        try:
            await board.printer.print(paper.finish())
        except DeviceError as error:
            await self._ask.message("bad", *_spoken(self._words, error), seconds=_READ_S)

    async def _say(self, state: str, name: str) -> None:
        lines = [(text, 24) for text in self._words.both(name)]
        await self._ask.message(state, self._both("safe-mode"), lines, seconds=_READ_S)

    def _both(self, name: str) -> str:
        return " ".join(self._words.both(name))


def _spoken(words: Wording, error: DeviceError) -> "tuple[str, list[tuple[str, int]]]":
    title, todo = words.fault(error)
    return title, [(todo, 24)]
