"""What the estate finds wrong with the terminal's own papers."""


class EstateError(Exception):
    """The root. `str(error)` is one English sentence for the log."""


class NotProvisioned(EstateError):
    """There are no keys on the device: it has to go through the workshop first."""


class ParametersCorrupt(EstateError):
    """The parameters are missing, damaged, or were changed from outside."""


class ProvisionError(EstateError):
    """The workshop's injection was refused; the sentence says which step and why."""


class ImageRefused(EstateError):
    """An image was not taken into the other slot; the sentence says why."""
