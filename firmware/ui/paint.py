"""The shop's palette and the strokes every screen is made of: bands, icons, texts, key hints.

Colours are indices of `PALETTE`; every pair that carries text is in `TEXT_PAIRS` and has a
contrast of 7:1 or more, so that it reads in sunlight. State is told three ways at once: the
band's colour, its icon and its word.
"""

from array import array

import glyphs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import framebuf

WIDTH = const(320)
HEIGHT = const(240)
MARGIN = const(8)

INK = const(0)
PAPER = const(1)
BLUE = const(2)
GREEN = const(3)
RED = const(4)
AMBER = const(5)
GREY = const(6)
FIELD = const(7)

PALETTE = (
    0x000000, 0xFFFFFF, 0x0B3D6B, 0x0B5A26, 0x9B0F0F, 0xFFC21A, 0x444444, 0xE8ECF0,
    0, 0, 0, 0, 0, 0, 0, 0,
)

# (text, ground) of everything that is written on a screen.
TEXT_PAIRS = (
    (INK, PAPER), (GREY, PAPER), (INK, FIELD), (RED, PAPER), (BLUE, PAPER), (PAPER, BLUE),
    (PAPER, GREEN), (PAPER, RED), (INK, AMBER), (PAPER, GREY),
)

# state: (band, what is written on it)
STATES = {
    "ask": (BLUE, PAPER), "wait": (BLUE, PAPER), "card": (BLUE, PAPER), "lock": (BLUE, PAPER),
    "ok": (GREEN, PAPER), "bad": (RED, PAPER), "warn": (AMBER, INK), "paper": (AMBER, INK),
}

BAND_HEIGHT = const(40)
FOOT_TOP = const(210)
_ICON = const(24)
_SECONDS_WIDTH = const(72)
TITLE_WIDTH = const(WIDTH - 3 * MARGIN - _ICON - _SECONDS_WIDTH)

# Outlines in a 24 by 24 box.
_TRIANGLE = array("h", (12, 1, 23, 22, 1, 22))
_HOURGLASS = array("h", (4, 2, 20, 2, 13, 12, 20, 22, 4, 22, 11, 12))
_CHECK = array("h", (2, 12, 6, 8, 10, 13, 19, 3, 23, 7, 10, 21))
_CROSS = array(
    "h", (3, 6, 6, 3, 12, 9, 18, 3, 21, 6, 15, 12, 21, 18, 18, 21, 12, 15, 6, 21, 3, 18, 9, 12)
)
_ARROW = array("h", (3, 9, 12, 9, 12, 3, 22, 12, 12, 21, 12, 15, 3, 15))


def clear(frame: "framebuf.FrameBuffer") -> None:
    """An empty page."""
    frame.fill(PAPER)


def centred(
    frame: "framebuf.FrameBuffer", text: str, y: int, size: int, colour: int = INK
) -> int:
    """`text` in the middle, wrapped if it is too wide; returns the y below it.

    What is too wide in its size for a single word is drawn in the next smaller size.
    """
    for line in glyphs.wrap(text, size, WIDTH - 2 * MARGIN):
        glyphs.draw(frame, line, (WIDTH - glyphs.width(line, size)) // 2, y, size, colour)
        y += size + size // 4
    return y


def fitted(
    frame: "framebuf.FrameBuffer", text: str, x: int, y: int, pixels: int, colour: int
) -> None:
    """One line of 24 px in `pixels`; of 16 px, at the same middle, if 24 is too wide."""
    if glyphs.width(text, 24) <= pixels:
        glyphs.draw(frame, text, x, y, 24, colour)
    else:
        glyphs.draw(frame, text, x, y + 4, 16, colour)


def band(frame: "framebuf.FrameBuffer", state: str, title: str) -> None:
    """The coloured top of a screen: the state's icon and its word."""
    ground, ink = STATES[state]
    frame.fill_rect(0, 0, WIDTH, BAND_HEIGHT, ground)
    icon(frame, state, MARGIN, (BAND_HEIGHT - _ICON) // 2, ink, ground)
    fitted(frame, title, 2 * MARGIN + _ICON, MARGIN, TITLE_WIDTH, ink)


def seconds(frame: "framebuf.FrameBuffer", state: str, text: str) -> tuple[int, int, int, int]:
    """The time left, at the band's right end. Returns the rectangle that changed."""
    ground, ink = STATES[state]
    left = WIDTH - _SECONDS_WIDTH - MARGIN // 2
    frame.fill_rect(left, 0, WIDTH - left, BAND_HEIGHT, ground)
    glyphs.draw(frame, text, WIDTH - MARGIN - glyphs.width(text, 24), MARGIN, 24, ink)
    return left, 0, WIDTH - left, BAND_HEIGHT


def icon(frame: "framebuf.FrameBuffer", state: str, x: int, y: int, ink: int, ground: int) -> None:
    """The state's picture, 24 by 24."""
    if state == "ok":
        frame.poly(x, y, _CHECK, ink, True)
    elif state == "bad":
        frame.poly(x, y, _CROSS, ink, True)
    elif state == "warn":
        frame.poly(x, y, _TRIANGLE, ink, True)
        frame.fill_rect(x + 11, y + 8, 3, 7, ground)
        frame.fill_rect(x + 11, y + 17, 3, 3, ground)
    elif state == "wait":
        frame.poly(x, y, _HOURGLASS, ink, True)
    elif state == "card":
        frame.fill_rect(x, y + 4, 24, 16, ink)
        frame.fill_rect(x + 3, y + 9, 6, 5, ground)
        frame.fill_rect(x + 13, y + 15, 8, 2, ground)
    elif state == "lock":
        frame.ellipse(x + 12, y + 9, 7, 8, ink, False)
        frame.ellipse(x + 12, y + 9, 6, 7, ink, False)
        frame.fill_rect(x + 3, y + 10, 18, 13, ink)
        frame.fill_rect(x + 11, y + 14, 3, 5, ground)
    elif state == "paper":
        frame.fill_rect(x + 4, y, 16, 18, ink)
        for line in (4, 8, 12):
            frame.fill_rect(x + 7, y + line, 10, 1, ground)
        frame.fill_rect(x, y + 18, 24, 5, ink)
    else:
        frame.poly(x, y, _ARROW, ink, True)


def keys(frame: "framebuf.FrameBuffer", hints: "list[tuple[str, str, str]]") -> None:
    """The foot: (key, its printed name, what it does), each name on a chip of its key's colour."""
    frame.fill_rect(0, FOOT_TOP, WIDTH, HEIGHT - FOOT_TOP, FIELD)
    if not hints:
        return
    widths = [glyphs.width(name, 16) + 12 + glyphs.width(does, 16) + 6 for _, name, does in hints]
    gap = (WIDTH - sum(widths)) // (len(hints) + 1)
    x = gap
    for (key, name, does), pixels in zip(hints, widths):
        ground, ink = _key_colours(key)
        chip = glyphs.width(name, 16) + 8
        frame.fill_rect(x, FOOT_TOP + 4, chip, 22, ground)
        glyphs.draw(frame, name, x + 4, FOOT_TOP + 7, 16, ink)
        glyphs.draw(frame, does, x + chip + 6, FOOT_TOP + 7, 16, INK)
        x += pixels + gap


def keys_width(hints: "list[tuple[str, str, str]]") -> int:
    """How wide a foot with these hints is at the least, in pixels; it must not pass WIDTH."""
    return sum(glyphs.width(name, 16) + glyphs.width(does, 16) + 22 for _, name, does in hints)


def _key_colours(key: str) -> tuple[int, int]:
    if key == "ENTER":
        return GREEN, PAPER
    if key == "CANCEL":
        return RED, PAPER
    if key == "CLEAR":
        return AMBER, INK
    return GREY, PAPER


def bars(frame: "framebuf.FrameBuffer", x: int, y: int, lit: int, connected: bool) -> None:
    """Wi-Fi: four bars, 20 by 16, white on the status line; a cross when there is no link."""
    for bar in range(4):
        height = 4 + 4 * bar
        if connected and bar < lit:
            frame.fill_rect(x + 5 * bar, y + 16 - height, 4, height, PAPER)
        else:
            frame.rect(x + 5 * bar, y + 16 - height, 4, height, PAPER)
    if not connected:
        for shift in (0, 1, 2):
            frame.line(x + shift, y, x + 8 + shift, y + 8, PAPER)
            frame.line(x + 8 + shift, y, x + shift, y + 8, PAPER)
