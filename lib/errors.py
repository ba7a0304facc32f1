"""The faults that devices and cards report to whoever uses them. Every library error derives from
these."""


class DeviceError(Exception):
    """A device did not do what was asked. `str(error)` is one English sentence for the log."""


class DeviceSilent(DeviceError):
    """The device did not answer within its time limit."""


class DeviceProtocolError(DeviceError):
    """The device answered something its protocol does not allow."""


class CardError(DeviceError):
    """The card, not the reader, is the cause."""


class CardRemoved(CardError):
    """The card left the slot or the field."""


class CardSilent(CardError):
    """A card is there and does not answer (mute chip, or no answer within the time limit)."""


class CardCollision(CardError):
    """More than one card is in the field."""


class PrinterError(DeviceError):
    """The printer is there and cannot print; the paper stays as it is."""


class PaperOut(PrinterError):
    """No paper."""


class CoverOpen(PrinterError):
    """The door is open."""


class PrinterHot(PrinterError):
    """The head is too hot; it recovers by itself."""
