"""Devices for tests of the counter: scripted keys, a frame, a printer with a history.

Each satisfies its contract of firmware/devices.py and holds no logic of the terminal.
"""

import asyncio

import framebuf
import vfs

from tests.unit.flashbed import Flash

# One panel for every desk, as on a board: in 256 KB of heap there is no room for one a test.
_PIXELS = bytearray(320 * 120)


class Keypad:
    """Plays a list of keys; then nobody presses anything."""

    def __init__(self, keys=""):
        self.keys = keys.split()
        self.secrets = []

    async def key(self):
        if self.keys:
            await asyncio.sleep_ms(1)
            return self.keys.pop(0)
        await asyncio.Event().wait()

    def secret(self, on):
        self.secrets.append(on)

    def clear(self):
        self.cleared = True


class Display:
    """A frame without a panel."""

    width = 320
    height = 240

    def __init__(self):
        self.buffer = _PIXELS
        self.frame = framebuf.FrameBuffer(self.buffer, 320, 240, framebuf.GS4_HMSB)
        self.frame.fill(0)
        self.shown = 0

    def dirty(self, x, y, w, h):
        assert 0 <= x and 0 <= y and x + w <= 320 and y + h <= 240

    def palette(self, colours):
        assert len(colours) == 16

    async def show(self):
        self.shown += 1


class Printer:
    """Raises what `troubles` says, call by call (None: fine); keeps the documents."""

    def __init__(self, troubles=()):
        self.troubles = list(troubles)
        self.documents = []

    def _next(self):
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble

    async def check(self):
        self._next()

    async def print(self, document):
        self._next()
        self.documents.append(document)


class Sounds:
    """Buzzer and lamps: what was asked of them."""

    def __init__(self):
        self.beeps = []
        self.patterns = []

    def beep(self, kind):
        self.beeps.append(kind)

    def show(self, pattern):
        self.patterns.append(pattern)


class Reader:
    """A slot with or without a card."""

    def __init__(self, inside=False):
        self.inside = inside

    async def present(self):
        return self.inside

    async def wait_removed(self):
        while self.inside:
            await asyncio.sleep_ms(1)


class Clock:
    """A clock that stands."""

    def __init__(self, seconds=848_000_000):
        self.seconds = seconds

    def now(self):
        return self.seconds

    def set(self, seconds):
        self.seconds = seconds


class Board:
    """All of it."""

    def __init__(self, keys="", troubles=()):
        self.keypad = Keypad(keys)
        self.display = Display()
        self.printer = Printer(troubles)
        self.buzzer = Sounds()
        self.lamps = Sounds()
        self.reader = Reader()
        self.clock = Clock()


def fresh_data(folder="/data"):
    """Mount an empty littlefs at `folder`; the file system object."""
    try:
        vfs.umount(folder)
    except OSError:
        pass
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash)
    mounted = vfs.VfsLfs2(flash)
    vfs.mount(mounted, folder)
    return mounted
