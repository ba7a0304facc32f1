"""A contact transaction: the phases of Book 3 chapter 10 as methods, each awaited in its order."""

from emv.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Choose = Callable[[list[str]], Awaitable[int | None]]
    Pin = Callable[[str, int | None], Awaitable[str]]


class ContactSession(Session):
    """One card in the slot, from SELECT to the second GENERATE AC.

    Any phase raises EmvError (the card breaks the rules: end, and say so) or lets the reader's
    CardRemoved and CardSilent through. After `wipe()` nothing can be read.
    """

    async def application_selection(self, choose: "Choose | None" = None) -> None:
        """Build the candidate list and select (Book 1 12.3-12.4).

        choose: `await choose(labels)` -> index, or None for 取消; asked when several applications
        are there and when the card wants its only one confirmed. Errors: CardBlocked,
        ApplicationBlocked, NoApplication, SelectionCancelled.
        """
        raise NotImplementedError

    async def initiate_application_processing(self) -> None:
        """GET PROCESSING OPTIONS (Book 3 10.1); on 6985 the next candidate is selected."""
        raise NotImplementedError

    async def read_application_data(self) -> None:
        """READ RECORD by the AFL (10.2). `track2`, `psn` and `label` are known afterwards."""
        raise NotImplementedError

    async def offline_data_authentication(self) -> None:
        """SDA, DDA or CDA (10.3)."""
        raise NotImplementedError

    async def processing_restrictions(self) -> None:
        """Version, usage control, dates (10.4)."""
        raise NotImplementedError

    async def cardholder_verification(self, pin: "Pin") -> str:
        """The CVM list (10.5); `cvm` afterwards and as the answer: elements.CVM_*.

        pin: `await pin(method, tries)` asks the payer; method is elements.CVM_ONLINE_PIN (tries
        None) or elements.CVM_OFFLINE_PIN (tries left); answers elements.PIN_ENTERED, PIN_BYPASSED
        or PIN_PAD_FAULT. The PIN itself never passes through here.
        """
        raise NotImplementedError

    async def terminal_risk_management(self) -> None:
        """Floor limit, random selection, velocity, exception file (10.6)."""
        raise NotImplementedError

    async def terminal_action_analysis(self) -> str:
        """TVR against TAC and IAC (10.7): what to ask the card for, a decision."""
        raise NotImplementedError

    async def card_action_analysis(self) -> str:
        """The first GENERATE AC (10.8): the card's decision, APPROVED, ONLINE or DECLINED."""
        raise NotImplementedError

    async def online_processing(self, response_code: str, field55: bytes = b"") -> None:
        """The host's answer (10.9): issuer authentication (91), then scripts of template 71.

        response_code: field 39, two characters. field55: the reply's, may be empty.
        """
        raise NotImplementedError

    async def completion(self) -> str:
        """The second GENERATE AC and scripts of template 72 (10.10, 10.11): APPROVED or DECLINED.

        DECLINED though the host approved sets `reversal_reason` to '06'. If this raises, the flow
        reverses with 96.
        """
        raise NotImplementedError

    async def unable_to_go_online(self) -> str:
        """No answer from the host: default action codes, then Y3 or Z3 (10.7, 10.11)."""
        raise NotImplementedError
