"""How a payment ends by its payer's card, beside what the reader and lib/emv report."""


class PayerError(Exception):
    """The card, or its rules, end the payment before it goes online. Nothing was charged."""


class DeclinedByCard(PayerError):
    """The card (or terminal action analysis) declined: AAC at the first GENERATE AC or the tap."""


class RefusedAfterApproval(PayerError):
    """The host approved and the card did not: the reversal (06) is owed."""


class VerificationFailed(PayerError):
    """The cardholder could not be verified as the card demands."""
