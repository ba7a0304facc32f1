"""What can go wrong in the payment host, by name. Everything here is an AcquirerError."""


class AcquirerError(Exception):
    """The root of the host's own errors; the message is a sentence for whoever runs it."""


class WireError(AcquirerError):
    """A frame that cannot be read: wrong length, unknown field, a letter among digits."""


class DeckError(AcquirerError):
    """A card file that does not describe a card account; the message names file and key."""


class StoreError(AcquirerError):
    """The database cannot be opened or does not have the schema this version needs."""


class Refusal(AcquirerError):
    """A request the host answers with a refusing response code (field 39), two characters.

    `reason` goes to the log and the timeline, never to the terminal.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
