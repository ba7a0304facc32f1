"""What a tap came to (Book A 6.2)."""

APPROVED = "approved"
DECLINED = "declined"
GO_ONLINE = "online"
TRY_ANOTHER_INTERFACE = "try_another_interface"
PRESENT_AGAIN = "present_again"
SEE_PHONE = "see_phone"
END = "end"


class Outcome:
    """kind: one of this module's names. reason: one English sentence for the log.

    cvm: elements.CVM_NONE, CVM_ONLINE_PIN, CVM_SIGNATURE or CVM_DEVICE, for approved and online.
    """

    def __init__(self, kind: str, cvm: str = "none", reason: str = "") -> None:
        self.kind = kind
        self.cvm = cvm
        self.reason = reason

    def __repr__(self) -> str:
        return f"Outcome({self.kind}, {self.cvm}, {self.reason!r})"
