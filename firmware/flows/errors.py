"""How a payment ends by its payer's card or a reader, beside what the card and lib/emv report."""

from errors import CardError, DeviceError, DeviceProtocolError, DeviceSilent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any


class ChipReaderFault(DeviceError):
    """The contact reader does not work: a screen names the part, a driver only says "device"."""


class TapReaderFault(DeviceError):
    """The contactless reader does not work."""


async def exchanged(fault: "type[DeviceError]", work: "Awaitable[Any]") -> "Any":
    """What a card answered through a reader. A silent reader is raised as `fault`; an answer that
    no protocol knows is the card's doing, as far as anybody at the counter can tell."""
    try:
        return await work
    except DeviceSilent as error:
        raise fault(str(error)) from error
    except DeviceProtocolError as error:
        raise CardError(str(error)) from error


async def blaming(fault: "type[DeviceError]", work: "Awaitable[Any]") -> "Any":
    """The result of what a reader does; what is not the card's fault is raised as `fault`."""
    try:
        return await work
    except CardError:
        raise
    except DeviceError as error:
        raise fault(str(error)) from error


class PayerError(Exception):
    """The card, or its rules, end the payment before it goes online. Nothing was charged."""


class DeclinedByCard(PayerError):
    """The card (or terminal action analysis) declined: AAC at the first GENERATE AC or the tap."""


class CardNotGenuine(DeclinedByCard):
    """What the card signed with its cryptogram does not verify (CDA)."""


class RefusedAfterApproval(PayerError):
    """The host approved and the card did not: the reversal (06) is owed."""


class VerificationFailed(PayerError):
    """The cardholder could not be verified as the card demands."""
