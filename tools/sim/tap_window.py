"""Watches the window of a tap: from its first APDU until the field is off nothing else may go on.

A card is held to the reader by hand; whatever the terminal draws, prints or sends meanwhile makes
it stay there longer. The watch sees the firmware's frames on the simulator's link, so nothing can
be drawn, printed or sent past it.
"""

from __future__ import annotations

from typing import Any

from tools.sim.link import Channel
from tools.sim.machine import Machine

FORBIDDEN = {
    Channel.TCP: "the network (TCP)",
    Channel.DNS: "the network (DNS)",
    Channel.WIFI: "the network (Wi-Fi)",
}
DISPLAY = "LCD_CS"
PRINTER = "PRINTER"


class TapWindow:
    """Attach it to a machine before power-on. `taps`: windows that were closed; `noise`: sentences
    about what the firmware did inside of one, in order."""

    def __init__(self, machine: Machine) -> None:
        self.taps = 0
        self.noise: list[str] = []
        self._board = machine.board
        self._since: int | None = None
        machine.events.subscribe(self._event)
        machine.on_frame = self._frame

    def _event(self, event: dict[str, Any]) -> None:
        if event["kind"] == "apdu" and event.get("chip") == "nfc":
            self._since = event["t"] if self._since is None else self._since
        elif event["kind"] == "field" and not event["on"] and self._since is not None:
            self._since = None
            self.taps += 1
        elif event["kind"] == "power":
            self._since = None

    def _frame(self, channel: int, payload: bytes, at: int) -> None:
        if self._since is None:
            return
        what = FORBIDDEN.get(Channel(channel)) or self._bus(channel, payload)
        if what:
            after = at - self._since
            self.noise.append(f"{what} was used {after} us after the first APDU of a tap")

    def _bus(self, channel: int, payload: bytes) -> str:
        if channel == Channel.SPI and self._board.pin(DISPLAY).drive() == 0:
            return "the display"
        if channel == Channel.UART and payload[:1] != b"o":
            return "the printer" if self._board.port_name(payload[1]) == PRINTER else ""
        return ""
