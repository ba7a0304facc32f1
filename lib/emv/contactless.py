"""A contactless transaction: pre-processing (Book A), entry point (Book B), kernel 3 and 7."""

from emv.session import Session

APPROVED = "approved"
DECLINED = "declined"
GO_ONLINE = "online"
TRY_ANOTHER_INTERFACE = "try_another_interface"
PRESENT_AGAIN = "present_again"
SEE_PHONE = "see_phone"
END = "end"


class Outcome:
    """What the kernel decided (Book A 6.2).

    kind: one of this module's names. cvm: elements.CVM_NONE, CVM_ONLINE_PIN, CVM_SIGNATURE or
    CVM_DEVICE. reason: one English sentence for the log.
    """

    def __init__(self, kind: str, cvm: str = "none", reason: str = "") -> None:
        self.kind = kind
        self.cvm = cvm
        self.reason = reason


class ContactlessSession(Session):
    """One tap: `pre_processing` before the field is on, `perform` while the card is in it."""

    def pre_processing(self) -> "Outcome | None":
        """Limits against the amount, per AID (Book A 5.1, Book B 3.1). None: activate the field.

        An Outcome (try_another_interface) when no application takes the amount by tap.
        """
        raise NotImplementedError

    async def perform(self) -> Outcome:
        """PPSE, combination selection, GPO, records (Books B 3.3, C-3, C-7); then the card may go.

        Card faults become outcomes; CardRemoved and CardSilent become `present_again`.
        """
        raise NotImplementedError
