"""Four contactless status lamps: WS2812 on one wire."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

_LAMPS = const(4)
# Green at a quarter of the full current, in the order of the wire: green, red, blue.
_LIT = b"\x40\x00\x00"
_DARK = b"\x00\x00\x00"
# As EMV Contactless Book A has it for an idle reader: 200 ms every 5 s.
_FLASH_MS = const(200)
_PAUSE_MS = const(4800)
_STEADY = {"off": 0, "ready": 1, "read": _LAMPS, "error": 0}


class Lamps:
    """Lamps (firmware/devices.py)."""

    def __init__(self, write: "Callable[[Buffer], None]") -> None:
        """`write` sends twelve bytes down the wire, three a lamp."""
        self._write = write
        self._blinking: asyncio.Task | None = None
        self._light(0)

    def show(self, pattern: str) -> None:
        """'off', 'idle' (first blinks), 'ready' (first on), 'read' (all), 'error' (all dark).

        Blinking runs by itself until the next call. KeyError for another word.
        """
        lit = None if pattern == "idle" else _STEADY[pattern]
        if self._blinking is not None:
            if lit is None:
                return
            self._blinking.cancel()
            self._blinking = None
        if lit is None:
            self._blinking = asyncio.create_task(self._blink())
        else:
            self._light(lit)

    async def _blink(self) -> None:
        while True:
            self._light(1)
            await asyncio.sleep_ms(_FLASH_MS)
            self._light(0)
            await asyncio.sleep_ms(_PAUSE_MS)

    def _light(self, count: int) -> None:
        self._write(_LIT * count + _DARK * (_LAMPS - count))
