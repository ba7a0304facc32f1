"""What looking after the terminal can refuse."""


class CareError(Exception):
    """The root. `str(error)` is one English sentence for the log, without any password."""


class OperatorUnknown(CareError):
    """There is no operator of this number."""


class PasswordWrong(CareError):
    """The password is not this operator's; the failure was counted."""


class BackOff(CareError):
    """Too many failures: nothing is checked for `seconds` more."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s after failed logins")
        self.seconds = seconds


class PasswordForm(CareError):
    """A password of the wrong length, or with something other than digits."""


class OperatorsCorrupt(CareError):
    """The file of operators does not read, or was changed from outside."""
