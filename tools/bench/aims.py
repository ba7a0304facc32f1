"""The aims of pinmac and whether they are met; nothing here fails a run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Aim:
    """One figure against its aim: `least` is a ratio to reach, otherwise a size to stay under."""

    what: str
    figure: float
    aim: float
    least: bool

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side."""
        return self.figure >= self.aim if self.least else self.figure < self.aim

    @property
    def target(self) -> str:
        """As `at least 100` or `under 4,096`."""
        return f"{'at least' if self.least else 'under'} {shown(self.aim)}"

    @property
    def verdict(self) -> str:
        """As `met by 96 (2.3 %)` or `missed by 11.1 (11.1 %)`, of the aim."""
        gap = abs(self.figure - self.aim)
        share = f"({gap / self.aim * 100:.1f} %)"
        if self.met:
            return f"met by {shown(gap)} {share}"
        return f"missed by {shown(gap)} {share}"


def shown(figure: float) -> str:
    """A whole number with thousands apart, or one decimal; below ten, two."""
    figure = round(figure, 2 if abs(figure) < 10 else 1)
    return f"{figure:,.0f}" if float(figure).is_integer() else f"{figure:,}"
