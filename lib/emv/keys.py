"""The public keys that a card's certificates give: preallocated, and wiped with the session.

A key of a card tells which card it was, and a certificate's block holds its PAN.
"""

from emv.authority import LONGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | memoryview


class PublicKey:
    """modulus: `size` bytes of `buffer`, which the next key reuses. size 0: there is no key."""

    def __init__(self) -> None:
        self.buffer = bytearray(LONGEST)
        self._memory = memoryview(self.buffer)
        self.size = 0
        self.exponent = 0

    @property
    def modulus(self) -> memoryview:
        """n, big-endian, as long as the key."""
        return self._memory[: self.size]

    def take(self, digits: "Buffer", remainder: "Buffer", exponent: int) -> None:
        """Join the digits in the certificate and those in the remainder (Book 2 5.3 end)."""
        middle = len(digits)
        self.size = middle + len(remainder)
        self._memory[:middle] = digits
        self._memory[middle : self.size] = remainder
        self.exponent = exponent

    def wipe(self) -> None:
        """Overwrite the key."""
        for index in range(len(self.buffer)):
            self.buffer[index] = 0
        self.size = self.exponent = 0


class RecoveredKeys:
    """issuer: of 90. card: of 9F46. pin: of 9F2D, for the PIN and nothing else."""

    def __init__(self) -> None:
        self.issuer = PublicKey()
        self.card = PublicKey()
        self.pin = PublicKey()

    def wipe(self) -> None:
        """Overwrite those that were recovered."""
        for key in (self.issuer, self.card, self.pin):
            if key.size:
                key.wipe()
