"""A passive buzzer: it sounds while its pin is a square wave."""

from . import Host


class Buzzer:
    """`tone` hears the PWM; `frequency` is what sounds, in hertz, or 0.

    Event: `tone` with `frequency` and `on`, when the sound changes.
    """

    def __init__(self) -> None:
        self._host: Host | None = None
        self.frequency = 0

    def attach(self, host: Host) -> None:
        """Give the buzzer its world."""
        self._host = host

    def tone(self, frequency: int, duty: int) -> None:
        """The PWM's frequency in hertz and duty in 65535ths; at 0 and 65535 it is silent."""
        sounds = frequency if 0 < duty < 65_535 else 0
        if sounds == self.frequency:
            return
        self.frequency = sounds
        if self._host is not None:
            self._host.event("tone", frequency=sounds, on=bool(sounds))
