"""A contact transaction: the phases of Book 3 chapter 10 as methods, each awaited in its order."""

from emv import (
    analyse,
    authenticate,
    combined,
    generate,
    initiate,
    online,
    records,
    restrictions,
    risk,
    select,
    verify,
)
from emv import elements as e
from emv.errors import (
    ApplicationBlocked,
    CardDataError,
    CardStatusError,
    ConditionsNotSatisfied,
    NoApplication,
    SequenceError,
)
from emv.session import Session, Track2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from emv.terminal import Terminal, Transaction

    Choose = Callable[[list[str]], Awaitable[int | None]]
    Pin = Callable[[str, int | None], Awaitable[str]]

# Field 39 of a reply that approves (PROTOCOL "Response codes").
APPROVING = ("00", "10", "11", "A2", "A4", "A5", "A6")

_OK = 0x9000
_CONDITIONS = 0x6985


class ContactSession(Session):
    """One card in the slot, from SELECT to the second GENERATE AC.

    Any phase raises EmvError (the card breaks the rules: end, and say so) or lets the reader's
    CardRemoved and CardSilent through. A phase out of its order is a SequenceError. After
    `wipe()` nothing can be read.
    """

    def __init__(
        self,
        exchange: "Callable[[bytes], Awaitable[bytes]]",
        terminal: "Terminal",
        transaction: "Transaction",
    ) -> None:
        super().__init__(exchange, terminal, transaction)
        self._phase = 0
        self._listed: list[select.Candidate] = []
        self._choose: Choose | None = None
        self._issuer: online.IssuerData | None = None
        self._approved_by_host = False
        self._decision = e.DECLINED

    def _step(self, phase: int) -> None:
        """Go to the next phase; numbers follow this file's order."""
        if self._phase != phase - 1:
            raise SequenceError(f"phase {phase} cannot follow phase {self._phase}")
        self._phase = phase

    async def application_selection(self, choose: "Choose | None" = None) -> None:
        """Build the candidate list and select (Book 1 12.3-12.4).

        choose: `await choose(labels)` -> index, or None for 取消; asked when several applications
        are there and when the card wants its only one confirmed. Without it the card's priority
        decides. Errors: CardBlocked, ApplicationBlocked, NoApplication, SelectionCancelled.
        """
        self._step(1)
        self.begin()
        self._choose = choose
        self._listed = await select.candidates(self)
        await select.final(self, self._listed, choose)

    async def initiate_application_processing(self) -> None:
        """GET PROCESSING OPTIONS (10.1); on 6985 the next application is selected.

        ConditionsNotSatisfied when none is left, CardStatusError for any other refusal.
        """
        self._step(2)
        while True:
            status = await initiate.processing_options(self)
            if status == _OK:
                break
            if status != _CONDITIONS:
                raise CardStatusError("GET PROCESSING OPTIONS", status)
            try:
                await select.final(self, self._listed, self._choose)
            except (NoApplication, ApplicationBlocked):
                raise ConditionsNotSatisfied("no application wants this payment") from None
        if e.APPLICATION_FILE_LOCATOR not in self.data:
            raise CardDataError("no application file locator")

    async def read_application_data(self) -> None:
        """READ RECORD by the AFL (10.2). `track2`, `psn` and `label` are known afterwards."""
        self._step(3)
        await records.read(self)
        records.check_mandatory(self)
        track2 = Track2(self.data)
        track2.check()
        self.track2 = track2

    async def offline_data_authentication(self) -> None:
        """SDA, DDA or CDA (10.3): `oda` says which; the result is in `tvr`, `tsi`, `oda_fault`."""
        self._step(4)
        await authenticate.offline_data_authentication(self)

    async def processing_restrictions(self) -> None:
        """Version, usage control, dates (10.4)."""
        self._step(5)
        restrictions.processing_restrictions(self)

    async def cardholder_verification(self, pin: "Pin") -> str:
        """The CVM list (10.5); `cvm` afterwards and as the answer: elements.CVM_*.

        pin: `await pin(method, tries)` asks the payer; method is elements.CVM_ONLINE_PIN (tries
        None) or elements.CVM_OFFLINE_PIN (tries left, None if the card does not say; called anew
        after each wrong PIN); answers elements.PIN_ENTERED, PIN_BYPASSED or PIN_PAD_FAULT. The
        PIN itself never passes through here: the entry stays open in pinmac, for the caller to
        encipher it online, for this call to encipher it for the card. What it raises (取消)
        passes through.
        """
        self._step(6)
        return await verify.cardholder_verification(self, pin)

    async def terminal_risk_management(self) -> None:
        """Floor limit, random selection, velocity, exception file (10.6)."""
        self._step(7)
        await risk.terminal_risk_management(self)

    async def terminal_action_analysis(self) -> str:
        """TVR against TAC and IAC (10.7): what to ask the card for, a decision."""
        self._step(8)
        self._decision = analyse.before_online(self)
        return self._decision

    async def card_action_analysis(self) -> str:
        """The first GENERATE AC (10.8): the card's decision, APPROVED, ONLINE or DECLINED.

        DECLINED also when the card's CDA signature does not stand.
        """
        self._step(9)
        decision = await generate.generate(self, self._decision, second=False)
        if combined.failed(self):
            await self._end_unproven(decision)
            decision = e.DECLINED
        self._decision = decision
        if self._decision != e.ONLINE:
            code = b"Y1" if self._decision == e.APPROVED else b"Z1"
            self.data.put(e.AUTHORISATION_RESPONSE_CODE, code)
        return self._decision

    async def _end_unproven(self, decision: str) -> None:
        """A cryptogram without its proof: what waits for an answer is ended (Book 4 6.3.2.1)."""
        if decision == e.ONLINE:
            self.data.put(e.AUTHORISATION_RESPONSE_CODE, b"Z1")
            await generate.generate(self, e.DECLINED, second=True)

    def _answered(self) -> None:
        """Only a card that wanted to go online gets a second GENERATE AC."""
        self._step(10)
        if self._decision != e.ONLINE:
            raise SequenceError("the card did not ask to go online")

    async def online_processing(self, response_code: str, field55: bytes = b"") -> None:
        """The host's answer (10.9): issuer authentication (91), then scripts of template 71.

        response_code: field 39, two characters. field55: the reply's, may be empty;
        IssuerDataError when it is malformed.
        """
        self._answered()
        if len(response_code) != 2:
            raise ValueError("a response code has two characters")
        self._approved_by_host = response_code in APPROVING
        self.data.put(e.AUTHORISATION_RESPONSE_CODE, response_code.encode())
        self._issuer = online.IssuerData(field55)
        await online.issuer_authentication(self, self._issuer.authentication)
        await online.scripts(self, self._issuer, e.SCRIPT_TEMPLATE_1)

    async def completion(self) -> str:
        """The second GENERATE AC and scripts of template 72 (10.10, 10.11): APPROVED or DECLINED.

        DECLINED though the host approved sets `reversal_reason` to '06'. If this raises, the flow
        reverses with 96. A script of template 72 that fails changes the TVR only.
        """
        self._step(11)
        issuer = self._issuer
        if issuer is None:
            raise SequenceError("the host has not answered")
        wanted = e.APPROVED if self._approved_by_host else e.DECLINED
        decision = await generate.generate(self, wanted, second=True)
        if self.has_tvr(e.TVR_ISSUER_AUTHENTICATION_FAILED):
            # The host's rule is stricter than the book's: nothing stands on an unproven answer.
            decision = e.DECLINED
        if combined.failed(self):
            decision = e.DECLINED
        if self._approved_by_host and decision != e.APPROVED:
            self.reversal_reason = "06"
        self._decision = decision
        await online.scripts(self, issuer, e.SCRIPT_TEMPLATE_2)
        return decision

    async def unable_to_go_online(self) -> str:
        """No answer from the host: default action codes, then Y3 or Z3 (10.7, 10.11)."""
        self._answered()
        wanted = analyse.unable_to_go_online(self)
        code = b"Y3" if wanted == e.APPROVED else b"Z3"
        self.data.put(e.AUTHORISATION_RESPONSE_CODE, code)
        self._decision = await generate.generate(self, wanted, second=True)
        if combined.failed(self):
            self._decision = e.DECLINED
        if self._decision != e.APPROVED:
            self.data.put(e.AUTHORISATION_RESPONSE_CODE, b"Z3")
        return self._decision

    @property
    def response_code(self) -> str:
        """8A as it stands: the host's, or Y1, Z1, Y3, Z3; '' before there is one."""
        value = self.data.get(e.AUTHORISATION_RESPONSE_CODE)
        return "" if value is None else value.decode()
