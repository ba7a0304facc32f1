"""Typing an amount: digits shift in from the right, and a point does what a shopkeeper means.

1 2 3 4 is 12.34; so is 1 2 . 3 4; and 1 2 . 5 is 12.50. CLEAR takes the last key back.
"""

MOST = const(9_999_999_999)  # fen; what 40 px digits show on one line


class AmountKeys:
    """The keys of one amount. `fen` is what they mean so far."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._digits = ""
        self._decimals = -1  # digits after the point; -1 before one is typed

    @property
    def fen(self) -> int:
        """The amount in fen."""
        value = int(self._digits or "0")
        if self._decimals < 0:
            return value
        return value * (100, 10, 1)[self._decimals]

    @property
    def empty(self) -> bool:
        """Nothing was typed, or all of it taken back."""
        return not self._digits and self._decimals < 0

    def press(self, key: str) -> bool:
        """Take a key; False if it changed nothing, as when it would pass the limit."""
        if key == "CLEAR":
            return self._take_back()
        if key == ".":
            return self._point()
        if key not in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "00"):
            return False
        before = self._digits, self._decimals
        for digit in key:
            if self._decimals == 2:
                break
            if self._digits or digit != "0" or self._decimals >= 0:
                self._digits += digit
            if self._decimals >= 0:
                self._decimals += 1
        if self.fen > self.most:
            self._digits, self._decimals = before
        return (self._digits, self._decimals) != before

    def _point(self) -> bool:
        if self._decimals >= 0 or int(self._digits or "0") * 100 > self.most:
            return False
        self._decimals = 0
        return True

    def _take_back(self) -> bool:
        if self.empty:
            return False
        if self._decimals == 0:
            self._decimals = -1
            return True
        self._digits = self._digits[:-1]
        if self._decimals > 0:
            self._decimals -= 1
        return True
