"""A passive buzzer on a PWM pin."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.buses import Pwm

_HALF = const(32768)
# Tones in hertz (0 is a pause) and their lengths in milliseconds. Success and error sound as EMV
# Contactless Book A asks of a reader: one high tone, and two low ones.
_TUNES = {
    "key": ((2700, 25),),
    "ok": ((1500, 500),),
    "error": ((750, 200), (0, 200), (750, 200)),
    "alert": ((2000, 120), (0, 80), (2000, 120), (0, 80), (2000, 120)),
}


class Buzzer:
    """A Buzzer (firmware/devices.py)."""

    def __init__(self, pwm: "Pwm") -> None:
        self._pwm = pwm
        self._playing: asyncio.Task | None = None
        pwm.duty_u16(0)

    def beep(self, kind: str) -> None:
        """'key', 'ok', 'error' or 'alert'; breaks off what still sounds. KeyError for another."""
        tune = _TUNES[kind]
        if self._playing is not None:
            self._playing.cancel()
        self._playing = asyncio.create_task(self._play(tune))

    async def _play(self, tune: "tuple[tuple[int, int], ...]") -> None:
        try:
            for hertz, milliseconds in tune:
                if hertz:
                    self._pwm.freq(hertz)
                self._pwm.duty_u16(_HALF if hertz else 0)
                await asyncio.sleep_ms(milliseconds)
        finally:
            self._pwm.duty_u16(0)
