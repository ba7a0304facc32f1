"""Four WS2812 lamps in a chain."""

from . import Host

LAMPS = 4


class Lamps:
    """`colours`: red, green and blue of each lamp, 0-255. Event: `lamps` with `colours`."""

    def __init__(self) -> None:
        self._host: Host | None = None
        self.colours: list[list[int]] = [[0, 0, 0] for _ in range(LAMPS)]

    def attach(self, host: Host) -> None:
        """Give the lamps their world."""
        self._host = host

    def bits(self, data: bytes) -> None:
        """A burst on the wire, three bytes a lamp: green, red, blue.

        Each lamp keeps the first three bytes it sees and passes the others on: a short burst
        leaves the last lamps as they are, and what comes after the fourth is lost.
        """
        colours = [list(colour) for colour in self.colours]
        for lamp in range(min(LAMPS, len(data) // 3)):
            green, red, blue = data[3 * lamp:3 * lamp + 3]
            colours[lamp] = [red, green, blue]
        if colours != self.colours:
            self.colours = colours
            if self._host is not None:
                self._host.event("lamps", colours=colours)
