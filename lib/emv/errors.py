"""What can go wrong with a card's data. CardRemoved and CardSilent come from the reader.

Every one of them ends the transaction on this interface; none of them is an approval.
"""

from errors import CardError


class EmvError(CardError):
    """A card and the rules disagree. `str(error)` is one English sentence, without PAN."""


class CardDataError(EmvError):
    """Data are malformed, contradictory, missing, or too many (Book 3 7.5: terminate)."""


class CardStatusError(EmvError):
    """An unexpected SW1 SW2 (Book 3 6.3.5); `status` is the word as an integer."""

    def __init__(self, command: str, status: int) -> None:
        super().__init__(f"{command} was answered {status:04X}")
        self.status = status


class CardBlocked(EmvError):
    """SELECT of the PSE was answered 6A81: the whole card is blocked (Book 1 12.3.2)."""


class ApplicationBlocked(EmvError):
    """Every application that both sides know is blocked (6283), or the card says so."""


class NoApplication(EmvError):
    """Card and terminal share no application (Book 1 12.4): another interface or another card."""


class SelectionCancelled(EmvError):
    """The cardholder chose none of the applications offered."""


class ConditionsNotSatisfied(EmvError):
    """GET PROCESSING OPTIONS was answered 6985 and no other application is left (Book 3 10.1)."""


class SequenceError(EmvError):
    """A phase was called out of its order: a fault of the caller, not of the card."""


class IssuerDataError(EmvError):
    """Field 55 of the host's reply is malformed; the card was asked nothing with it."""


class NotAuthentic(EmvError):
    """A certificate or signature of the card does not stand: the phase marks the TVR with it."""


class DataMissing(NotAuthentic):
    """An element that offline data authentication needs is not on the card (Book 3 7.5)."""


class CaKeyError(ValueError):
    """A certification authority's public key is refused; the message names it and says why."""
