"""Terminal risk management: hot list, floor limit, random selection, velocity (Book 3 10.6)."""

from emv import elements as e

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emv.session import Session


async def terminal_risk_management(session: "Session") -> None:
    """Set the fourth byte of the TVR and what belongs to it, if the AIP asks for it."""
    if session.transaction.forced_online:
        session.set_tvr(e.TVR_MERCHANT_FORCED_ONLINE)
    if not session.data.need(e.APPLICATION_INTERCHANGE_PROFILE)[0] & e.AIP_TERMINAL_RISK:
        return
    _exception_file(session)
    _floor_limit(session)
    await _velocity(session)
    session.set_tsi(e.TSI_TERMINAL_RISK)


def _exception_file(session: "Session") -> None:
    """Book 4 6.3.5: the hot list, if the terminal has one."""
    exceptions = session.terminal.exceptions
    if exceptions is not None and exceptions(session.pan(), session.psn or 0):
        session.set_tvr(e.TVR_ON_EXCEPTION_FILE)


def _floor_limit(session: "Session") -> None:
    """10.6.1 and, below the limit, 10.6.2."""
    application, amount = session.application, session.transaction.amount
    spent = session.terminal.recent(session.pan()) if session.terminal.recent else 0
    if amount + spent >= application.floor_limit:
        session.set_tvr(e.TVR_FLOOR_LIMIT_EXCEEDED)
    elif _selected(
        amount,
        application.floor_limit,
        application.threshold,
        application.target_percent,
        application.max_percent,
        percent(session.terminal.random),
    ):
        session.set_tvr(e.TVR_RANDOMLY_SELECTED)


def _selected(
    amount: int, floor: int, threshold: int, target: int, maximum: int, drawn: int
) -> bool:
    """10.6.2: drawn 1-99 against the target, raised in proportion between threshold and floor."""
    if amount < threshold:
        return drawn <= target
    share = (maximum - target) * (amount - threshold) // (floor - threshold)
    return drawn <= target + share


def percent(random: "Callable[[int], bytes]") -> int:
    """1 to 99, each as likely: a byte of 198 or more is thrown away. 99 if the source sticks."""
    for _ in range(64):
        byte = random(1)[0]
        if byte < 198:
            return byte % 99 + 1
    return 99


async def _velocity(session: "Session") -> None:
    """10.6.3: how often the card went offline since it was last online, if it has both limits."""
    lower = session.data.view(e.LOWER_CONSECUTIVE_OFFLINE_LIMIT)
    upper = session.data.view(e.UPPER_CONSECUTIVE_OFFLINE_LIMIT)
    if lower is None or upper is None:
        return
    counter = await session.get_data(e.APPLICATION_TRANSACTION_COUNTER, 2)
    last = await session.get_data(e.LAST_ONLINE_ATC, 2)
    if last == 0:
        session.set_tvr(e.TVR_NEW_CARD)
    if counter is None or last is None or counter <= last:
        session.set_tvr(e.TVR_LOWER_LIMIT_EXCEEDED)
        session.set_tvr(e.TVR_UPPER_LIMIT_EXCEEDED)
        return
    if counter - last > lower[0]:
        session.set_tvr(e.TVR_LOWER_LIMIT_EXCEEDED)
    if counter - last > upper[0]:
        session.set_tvr(e.TVR_UPPER_LIMIT_EXCEEDED)
