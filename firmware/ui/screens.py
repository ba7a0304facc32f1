"""The screens, as pure drawing: facts in, pixels on the display's frame out.

Each method draws one whole screen and marks it dirty; `show()` sends it. Nothing here waits for a
key, knows a flow, or holds a word: texts come from `Wording` by id or from the caller's data.
"""

import glyphs

from firmware.ui import paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.devices import Display
    from firmware.ui.wording import Wording

MAX_OPTIONS = const(5)

_STATUS_HEIGHT = const(26)
_OPTION_HEIGHT = const(32)
_MASK = "●"


def yuan(fen: int) -> str:
    """'￥12.34' of 1234."""
    return f"￥{fen // 100}.{fen % 100:02d}"


class IdleFacts:
    """What the idle screen shows: texts, and numbers as they are."""

    def __init__(self) -> None:
        self.time = "--:--"
        self.bars = 0
        self.connected = False
        self.batch = 0
        self.merchant = ""
        self.operator = ""
        self.signed_on = False
        self.owed = 0
        self.notes: tuple[str, ...] = ()

    def key(self) -> tuple:
        """Equal keys draw equal screens."""
        return (
            self.time, self.bars, self.connected, self.batch, self.merchant, self.operator,
            self.signed_on, self.owed, self.notes,
        )  # fmt: skip


class Screens:
    """Draws on one display in one language. `words` may change its language at any time."""

    def __init__(self, display: "Display", words: "Wording") -> None:
        self.display = display
        self.words = words
        self.frame = display.frame
        self._state = "ask"
        display.palette(paint.PALETTE)

    async def show(self) -> None:
        """Send what was drawn to the panel."""
        await self.display.show()

    def idle(self, facts: IdleFacts) -> None:
        """Ready for an amount."""
        frame, words = self.frame, self.words
        paint.clear(frame)
        self._status_line(facts)
        y = 32
        for line in glyphs.wrap(facts.merchant, 16, paint.WIDTH - 2 * paint.MARGIN)[:2]:
            paint.centred(frame, line, y, 16, paint.GREY)
            y += 18
        chinese, english = words.both("enter-amount")
        paint.centred(frame, chinese, 72, 24)
        paint.centred(frame, english, 99, 24)
        paint.centred(frame, yuan(0), 126, 40)
        notes = list(facts.notes)
        if facts.owed:
            notes.insert(0, words("owed", facts.owed))
        if not facts.signed_on:
            notes.insert(0, words("not-signed-on"))
        if notes:
            paint.centred(frame, "  ".join(notes[:2]), 170, 16, paint.RED)
        if facts.operator:
            paint.centred(frame, words("operator", facts.operator), 189, 16, paint.GREY)
        self._keys(("MENU", "do-more"))
        self._dirty()

    def amount(self, title: str, fen: int, complaint: str = "") -> None:
        """Typing an amount. `title` and `complaint` are text ids."""
        words = self.words
        self._page("ask", words(title))
        paint.centred(self.frame, words("enter-amount"), 54, 24)
        self.amount_typed(fen)
        if complaint:
            paint.centred(self.frame, words(complaint), 158, 24, paint.RED)
        self._keys(("ENTER", "do-next"), ("CLEAR", "do-fix"), ("CANCEL", "do-back"))
        self._dirty()

    def amount_typed(self, fen: int) -> None:
        """Only the number changed."""
        text = yuan(fen)
        self.frame.fill_rect(paint.MARGIN, 92, paint.WIDTH - 2 * paint.MARGIN, 52, paint.FIELD)
        x = paint.WIDTH - 2 * paint.MARGIN - glyphs.width(text, 40)
        glyphs.draw(self.frame, text, x, 98, 40, paint.INK)
        self.display.dirty(paint.MARGIN, 92, paint.WIDTH - 2 * paint.MARGIN, 52)

    def present(self, title: str, fen: int, prompt: str, hint: str) -> None:
        """Waiting for a card. All but the amount are text ids."""
        self._page("card", self.words(title))
        y = paint.centred(self.frame, self.words(prompt), 58, 24)
        paint.centred(self.frame, yuan(fen), y + 8, 40)
        paint.centred(self.frame, self.words(hint), 172, 16, paint.GREY)
        self._keys(("CANCEL", "do-end"))
        self._dirty()

    def pin(self, fen: int, length: int, note: str, bypass: bool) -> None:
        """PIN entry: the amount being agreed to and one ● a digit. `note` is a text id or ''."""
        words = self.words
        self._page("lock", words("enter-pin"))
        paint.centred(self.frame, yuan(fen), 48, 40)
        self.pin_typed(length)
        paint.centred(self.frame, words("pin-hint"), 152, 16, paint.GREY)
        if note:
            paint.centred(self.frame, words(note), 180, 24, paint.RED)
        elif bypass:
            paint.centred(self.frame, words("pin-bypass"), 184, 16, paint.GREY)
        self._keys(("ENTER", "do-done"), ("CLEAR", "do-fix"), ("CANCEL", "do-end"))
        self._dirty()

    def pin_typed(self, length: int) -> None:
        """Only the number of digits changed."""
        self._masks(length, 100)

    def entry(self, title: str, prompt: str, hint: str, shown: str, masked: bool) -> None:
        """Typing digits that are no PIN. `title` and `prompt` are ids, `hint` is text."""
        self._page("lock" if masked else "ask", self.words(title))
        paint.centred(self.frame, self.words(prompt), 60, 24)
        self.entry_typed(shown, masked)
        paint.centred(self.frame, hint, 160, 16, paint.GREY)
        self._keys(("ENTER", "do-next"), ("CLEAR", "do-fix"), ("CANCEL", "do-back"))
        self._dirty()

    def entry_typed(self, shown: str, masked: bool) -> None:
        """Only the digits changed; `shown` is only counted if they are masked."""
        if masked:
            self._masks(len(shown), 100)
            return
        self.frame.fill_rect(60, 100, 200, 44, paint.FIELD)
        glyphs.draw(
            self.frame, shown, (paint.WIDTH - glyphs.width(shown, 40)) // 2, 102, 40, paint.INK
        )
        self.display.dirty(60, 100, 200, 44)

    def choice(
        self, title: str, options: "list[tuple[str, str]]", first: int, chosen: int
    ) -> None:
        """A list to choose from: up to five of the (key, text) `options` from index `first`."""
        self._page("ask", title)
        for row in range(min(MAX_OPTIONS, len(options) - first)):
            index = first + row
            y = paint.BAND_HEIGHT + 6 + row * _OPTION_HEIGHT
            ink = paint.INK
            if index == chosen:
                self.frame.fill_rect(0, y, paint.WIDTH, _OPTION_HEIGHT, paint.BLUE)
                ink = paint.PAPER
            text = " ".join(options[index]).strip()
            paint.fitted(
                self.frame, text, 2 * paint.MARGIN, y + 4, paint.WIDTH - 5 * paint.MARGIN, ink
            )
        if len(options) > MAX_OPTIONS:
            self._scroll_mark(first, len(options))
        self._keys(("ENTER", "do-choose"), ("CANCEL", "do-back"))
        self._dirty()

    def notice(
        self,
        state: str,
        title: str,
        lines: "list[tuple[str, int]]",
        hints: "tuple[tuple[str, str], ...]" = (),
    ) -> None:
        """A result, a wait or a fault: `lines` are (text, size), from the top; `hints` as _keys.

        `title` is text, since it is often a response code's or a fault's own words.
        """
        self._page(state, title)
        y = paint.BAND_HEIGHT + 12
        for text, size in lines:
            y = paint.centred(self.frame, text, y, size) + 4
        self._keys(*hints)
        self._dirty()

    def table(self, state: str, title: str, rows: "list[tuple[str, str]]", hint: str) -> None:
        """Names and values at 16 px, as the self-test and the fault log show; `hint` is a text id.

        At most nine rows; a value that is too long for its line is cut.
        """
        self._page(state, title)
        y = paint.BAND_HEIGHT + 4
        for name, value in rows[:9]:
            glyphs.draw(self.frame, name, paint.MARGIN, y, 16, paint.INK)
            room = paint.WIDTH - 3 * paint.MARGIN - glyphs.width(name, 16)
            while glyphs.width(value, 16) > room:
                value = value[:-1]
            x = paint.WIDTH - paint.MARGIN - glyphs.width(value, 16)
            glyphs.draw(self.frame, value, x, y, 16, paint.INK)
            y += 18
        if hint:
            self._keys(("ENTER", hint))
        self._dirty()

    def seconds(self, left: int) -> None:
        """The seconds left of the wait that the screen is in."""
        area = paint.seconds(self.frame, self._state, self.words("seconds", left))
        self.display.dirty(*area)

    def _status_line(self, facts: IdleFacts) -> None:
        frame = self.frame
        frame.fill_rect(0, 0, paint.WIDTH, _STATUS_HEIGHT, paint.BLUE)
        glyphs.draw(frame, facts.time, paint.MARGIN, 5, 16, paint.PAPER)
        batch = f"{self.words('batch')} {facts.batch:06d}"
        glyphs.draw(
            frame, batch, (paint.WIDTH - glyphs.width(batch, 16)) // 2, 5, 16, paint.PAPER
        )
        paint.bars(frame, paint.WIDTH - paint.MARGIN - 20, 5, facts.bars, facts.connected)

    def _masks(self, length: int, y: int) -> None:
        frame = self.frame
        frame.fill_rect(16, y, paint.WIDTH - 32, 40, paint.FIELD)
        text = _MASK * length
        glyphs.draw(frame, text, (paint.WIDTH - glyphs.width(text, 24)) // 2, y + 8, 24, paint.INK)
        self.display.dirty(16, y, paint.WIDTH - 32, 40)

    def _scroll_mark(self, first: int, count: int) -> None:
        """A bar at the right edge: which part of the list is seen."""
        top, height = paint.BAND_HEIGHT + 6, MAX_OPTIONS * _OPTION_HEIGHT
        self.frame.fill_rect(paint.WIDTH - 6, top, 6, height, paint.FIELD)
        self.frame.fill_rect(
            paint.WIDTH - 6, top + height * first // count, 6, height * MAX_OPTIONS // count,
            paint.GREY,
        )  # fmt: skip

    def _page(self, state: str, title: str) -> None:
        self._state = state
        paint.clear(self.frame)
        paint.band(self.frame, state, title)

    def _keys(self, *hints: "tuple[str, str]") -> None:
        """(key, id of what it does) for the foot."""
        paint.keys(
            self.frame,
            [(key, self.words("key-" + key.lower()), self.words(does)) for key, does in hints],
        )

    def _dirty(self) -> None:
        self.display.dirty(0, 0, paint.WIDTH, paint.HEIGHT)
