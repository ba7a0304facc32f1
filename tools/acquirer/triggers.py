"""The test profile: amounts and overrides that make the test acquirer misbehave on purpose.

SIMULATOR.md, "Triggers". A live host has no such file: posting knows nothing of it, it is only
told a response code to give, and the finished reply passes through `deliveries` on its way out.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.acquirer.errors import AcquirerError
from tools.acquirer.wire import Message

SILENT = "silent"  # the request is dropped unread
LOST = "lost"  # processed and posted, the reply never sent
LATE = "late"  # the reply comes after the terminal's time limit
BAD_MAC = "bad-mac"
BAD_BITMAP = "bad-bitmap"
RESET = "reset"  # the connection breaks in the middle of the reply
DUPLICATE = "duplicate"  # the reply comes twice
WRONG_TRACE = "wrong-trace"
WRONG_CRYPTOGRAM = "wrong-cryptogram"  # the issuer's, in tag 91
FAULTS = (
    SILENT, LOST, LATE, BAD_MAC, BAD_BITMAP, RESET, DUPLICATE, WRONG_TRACE, WRONG_CRYPTOGRAM
)  # fmt: skip

LATE_SECONDS = 65.0  # the terminal's limit is 60 (parameter 12)

_CODE_AMOUNTS = range(800_000, 800_100)  # 8000.NN yuan in fen
_FAULT_AMOUNTS = {910_100 + 100 * index: fault for index, fault in enumerate(FAULTS)}
_FINANCIAL = "0200"
_BITMAP_AT = 2 + 11 + 2  # in a framed reply: length, TPDU and header, MTI
_ARPC_TAG = "910A"


@dataclass(frozen=True)
class Plan:
    """What the profile wants for one request: a response code, a fault, both or neither."""

    code: str | None = None
    fault: str | None = None


@dataclass(frozen=True)
class Delivery:
    """Bytes to write (length included) `after` so many seconds; `reset` then breaks the link."""

    data: bytes
    after: float = 0.0
    reset: bool = False


@dataclass
class _Override:
    plan: Plan
    mti: str | None
    left: int | None


class Profile:
    """Overrides, first come first served, then the reserved amounts of a financial request."""

    def __init__(self, *, amounts: bool = True) -> None:
        self._amounts = amounts
        self._overrides: list[_Override] = []

    def respond(self, code: str, times: int | None = None, mti: str | None = _FINANCIAL) -> None:
        """Answer the next `times` requests of that type (None: all until cleared) with `code`.

        Everything else is still verified, so a wrong PIN stays a wrong PIN. Raises AcquirerError
        when `code` is not two letters or digits.
        """
        if not (len(code) == 2 and code.isascii() and code.isalnum()):
            raise AcquirerError(f"a response code is two letters or digits, not {code!r}")
        self._overrides.append(_Override(Plan(code=code.upper()), mti, _times(times)))

    def fault(self, name: str, times: int | None = None, mti: str | None = None) -> None:
        """Inflict a fault (one of FAULTS) on the next `times` requests; `mti` None: of any type.

        Raises AcquirerError for an unknown fault.
        """
        if name not in FAULTS:
            raise AcquirerError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
        self._overrides.append(_Override(Plan(fault=name), mti, _times(times)))

    def silent(self, times: int | None = None, mti: str | None = None) -> None:
        """Drop the next `times` requests unread (None: until cleared)."""
        self.fault(SILENT, times, mti)

    def clear(self) -> None:
        """Forget every override; the reserved amounts stay."""
        self._overrides.clear()

    @property
    def active(self) -> list[str]:
        """The overrides in force, as the page's chips show them: a code or a fault's name."""
        return [override.plan.code or override.plan.fault or "" for override in self._overrides]

    def plan(self, request: Message) -> Plan:
        """What to do to this request. Counts as one use of an override that applies."""
        for override in self._overrides:
            if override.mti in (None, request.mti):
                self._use(override)
                return override.plan
        if not self._amounts or request.mti != _FINANCIAL:
            return Plan()
        if request.amount in _CODE_AMOUNTS:
            return Plan(code=f"{request.amount % 100:02d}")
        return Plan(fault=_FAULT_AMOUNTS.get(request.amount))

    def _use(self, override: _Override) -> None:
        if override.left is None:
            return
        override.left -= 1
        if override.left == 0:
            self._overrides.remove(override)


def distort(fault: str | None, fields: dict[int, str]) -> dict[int, str]:
    """The faults that a correct MAC covers: another trace number, another issuer cryptogram."""
    if fault == WRONG_TRACE:
        return {**fields, 11: f"{(int(fields[11]) + 1) % 1_000_000:06d}"}
    if fault == WRONG_CRYPTOGRAM and _ARPC_TAG in fields.get(55, ""):
        at = fields[55].index(_ARPC_TAG) + len(_ARPC_TAG)
        flipped = f"{int(fields[55][at : at + 2], 16) ^ 0xFF:02X}"
        return {**fields, 55: fields[55][:at] + flipped + fields[55][at + 2 :]}
    return fields


def deliveries(fault: str | None, data: bytes) -> list[Delivery]:
    """How the framed reply leaves under a fault (None: once, at once, whole)."""
    if fault in (SILENT, LOST):
        return []
    if fault == LATE:
        return [Delivery(data, after=LATE_SECONDS)]
    if fault == BAD_MAC:
        return [Delivery(data[:-1] + bytes([data[-1] ^ 0x01]))]
    if fault == BAD_BITMAP:
        return [Delivery(data[:_BITMAP_AT] + b"\xff" * 8 + data[_BITMAP_AT + 8 :])]
    if fault == RESET:
        return [Delivery(data[: len(data) // 2], reset=True)]
    if fault == DUPLICATE:
        return [Delivery(data), Delivery(data)]
    return [Delivery(data)]


def _times(times: int | None) -> int | None:
    if times is not None and times < 1:
        raise AcquirerError("an override is for one request at least")
    return times
