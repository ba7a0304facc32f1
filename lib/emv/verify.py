"""Cardholder verification: the CVM list (Book 3 10.5, Annex C3; Book 4 6.3.4)."""

from emv import elements as e
from emv import offline_pin
from emv.errors import CardDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from emv.session import Session

    Pin = Callable[[str, int | None], Awaitable[str]]

_NEXT_IF_FAILED = 0x40
_FAIL = 0x00
_PLAINTEXT_PIN = 0x01
_ONLINE_PIN = 0x02
_PLAINTEXT_AND_SIGNATURE = 0x03
_ENCIPHERED_PIN = 0x04
_ENCIPHERED_AND_SIGNATURE = 0x05
_SIGNATURE = 0x1E
_NO_CVM = 0x1F

# Terminal capabilities, byte 2, that each method needs (Book 4 Annex A2).
_NEEDS = {
    _FAIL: 0x00,
    _PLAINTEXT_PIN: 0x80,
    _ONLINE_PIN: 0x40,
    _PLAINTEXT_AND_SIGNATURE: 0xA0,
    _ENCIPHERED_PIN: 0x10,
    _ENCIPHERED_AND_SIGNATURE: 0x30,
    _SIGNATURE: 0x20,
    _NO_CVM: 0x08,
}
_OFFLINE_PINS = (
    _PLAINTEXT_PIN,
    _PLAINTEXT_AND_SIGNATURE,
    _ENCIPHERED_PIN,
    _ENCIPHERED_AND_SIGNATURE,
)

# CVM results, byte 3 (Annex C4).
UNKNOWN = 0
FAILED = 1
SUCCESSFUL = 2

_UNATTENDED = (0x14, 0x15, 0x16, 0x24, 0x25, 0x26, 0x34, 0x35, 0x36)
_CASH = (0x01, 0x17)
_CASHBACK = 0x09

_MOST_TRIES = 15  # a PIN try counter's, as 63Cx tells it


class Verification:
    """One run through the list. `code`, `condition`, `result`: 9F34 as it stands."""

    def __init__(self, session: "Session", pin: "Pin") -> None:
        self.session = session
        self.pin = pin
        self.bypassed = False
        self.method = e.CVM_FAILED
        self.code = 0x3F
        self.condition = 0x00
        self.result = FAILED

    async def run(self, rules: "memoryview | bytes") -> None:
        """The first rule that applies and succeeds, or that fails for good, ends the list."""
        capabilities = self.session.data.need(e.TERMINAL_CAPABILITIES)[1]
        for at in range(8, len(rules), 2):
            code, condition = rules[at], rules[at + 1]
            if not self._applies(rules, code, condition, capabilities):
                continue
            if await self._perform(code, condition, capabilities):
                return
            if not code & _NEXT_IF_FAILED:
                break
        self.method = e.CVM_FAILED
        self.session.set_tvr(e.TVR_CVM_FAILED)

    def _applies(
        self, rules: "memoryview | bytes", code: int, condition: int, capabilities: int
    ) -> bool:
        """Whether a rule's condition holds (Table 40); an unknown condition does not."""
        data = self.session.data
        kind = data.need(e.TRANSACTION_TYPE)[0]
        if condition == 0x00:
            return True
        if condition in (0x01, 0x02, 0x04):
            cash = kind in _CASH
            unattended = data.need(e.TERMINAL_TYPE)[0] in _UNATTENDED
            if condition == 0x01:
                return cash and unattended
            if condition == 0x04:
                return cash and not unattended
            return not cash and kind != _CASHBACK
        if condition == 0x03:
            needs = _NEEDS.get(code & 0x3F)
            return needs is not None and capabilities & needs == needs
        if condition == 0x05:
            return kind == _CASHBACK
        if 0x06 <= condition <= 0x09:
            return self._amount_applies(rules, condition)
        return False

    def _amount_applies(self, rules: "memoryview | bytes", condition: int) -> bool:
        """Conditions 06-09: in the application's currency, under or over X or Y."""
        data = self.session.data
        currency = data.get(e.APPLICATION_CURRENCY_CODE)
        if currency is None or currency != data.get(e.TRANSACTION_CURRENCY_CODE):
            return False
        limit_at = 0 if condition in (0x06, 0x07) else 4
        limit = int.from_bytes(bytes(rules[limit_at : limit_at + 4]), "big")
        amount = self.session.transaction.amount
        return amount < limit if condition in (0x06, 0x08) else amount > limit

    async def _perform(self, code: int, condition: int, capabilities: int) -> bool:
        """Perform one method; whether it was successful (10.5.1-10.5.4)."""
        kind = code & 0x3F
        needs = _NEEDS.get(kind)
        if needs is None:
            self.session.set_tvr(e.TVR_CVM_UNRECOGNISED)
            return False
        if capabilities & needs != needs:
            if kind in _OFFLINE_PINS or kind == _ONLINE_PIN:
                # 10.5.1, 10.5.2: a PIN that this terminal cannot take at all.
                self.session.set_tvr(e.TVR_PIN_PAD_FAULT)
            return False
        self.code, self.condition, self.result = code, condition, FAILED
        if kind == _ONLINE_PIN:
            return await self._online_pin()
        if kind == _ENCIPHERED_PIN:
            return await self._offline_pin(e.CVM_OFFLINE_PIN, SUCCESSFUL)
        if kind == _ENCIPHERED_AND_SIGNATURE:
            # Whether somebody signs is not known yet (Book 4 6.3.4.5).
            return await self._offline_pin(e.CVM_OFFLINE_PIN_SIGNATURE, UNKNOWN)
        if kind == _SIGNATURE:
            return self._done(e.CVM_SIGNATURE, UNKNOWN)
        if kind == _NO_CVM:
            return self._done(e.CVM_NONE, SUCCESSFUL)
        return False

    async def _online_pin(self) -> bool:
        """10.5.2."""
        if not await self._entered(e.CVM_ONLINE_PIN, None):
            return False
        self.session.set_tvr(e.TVR_ONLINE_PIN_ENTERED)
        return self._done(e.CVM_ONLINE_PIN, UNKNOWN)

    async def _offline_pin(self, method: str, result: int) -> bool:
        """10.5.1: a fresh entry for every try, until it is right or none is left."""
        session = self.session
        key = None if self.bypassed else offline_pin.encipherment_key(session)
        if key is None:
            return False
        left = await offline_pin.tries(session)
        for _ in range(_MOST_TRIES):
            if left == 0:
                session.set_tvr(e.TVR_PIN_TRIES_EXCEEDED)
                return False
            if not await self._entered(e.CVM_OFFLINE_PIN, left):
                return False
            left = await offline_pin.verify(session, key)
            if left == offline_pin.RIGHT:
                return self._done(method, result)
            if left == offline_pin.REFUSED:
                return False
        return False

    async def _entered(self, method: str, tries: "int | None") -> bool:
        """Ask for a PIN. One once bypassed is bypassed for every later method (Book 4 6.3.4.3)."""
        if self.bypassed:
            return False
        answer = await self.pin(method, tries)
        if answer == e.PIN_ENTERED:
            return True
        if answer == e.PIN_BYPASSED:
            self.bypassed = True
            self.session.set_tvr(e.TVR_PIN_NOT_ENTERED)
        elif answer == e.PIN_PAD_FAULT:
            self.session.set_tvr(e.TVR_PIN_PAD_FAULT)
        else:
            raise ValueError(f"the PIN callback answered {answer!r}")
        return False

    def _done(self, method: str, result: int) -> bool:
        self.method, self.result = method, result
        return True


async def cardholder_verification(session: "Session", pin: "Pin") -> str:
    """Go through the card's list; `session.cvm` and 9F34 say what came of it.

    A card whose AIP does not want verification, or that has no rules, leaves 3F0000 (Book 4
    6.3.4.5) and the TSI as it was. CardDataError for a list of odd length (7.5).
    """
    session.cvm = e.CVM_NONE
    session.data.put(e.CVM_RESULTS, b"\x3f\x00\x00")
    if not session.data.need(e.APPLICATION_INTERCHANGE_PROFILE)[0] & e.AIP_CVM:
        return session.cvm
    rules = session.data.view(e.CVM_LIST)
    if rules is None:
        session.set_tvr(e.TVR_ICC_DATA_MISSING)
        return session.cvm
    if len(rules) % 2:
        raise CardDataError("the CVM list has an odd length")
    run = Verification(session, pin)
    await run.run(rules)
    session.set_tsi(e.TSI_CVM)
    session.data.put(e.CVM_RESULTS, bytes((run.code, run.condition, run.result)))
    session.cvm = run.method
    return session.cvm
