"""Terminal action analysis: the TVR against issuer's and acquirer's codes (Book 3 10.7)."""

from emv import elements as e

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

_ZEROS = bytes(5)
_ONES = b"\xff\xff\xff\xff\xff"


def matches(results: bytes, issuer: bytes, terminal: bytes) -> bool:
    """Whether a bit of the TVR is set that either action code names."""
    return any(r & (i | t) for r, i, t in zip(results, issuer, terminal))


def before_online(session: "Session") -> str:
    """What to ask the card for: DECLINED (AAC), ONLINE (ARQC) or APPROVED (TC).

    An issuer's missing code is zeros for denial and ones for online.
    """
    results, application, data = session.tvr, session.application, session.data
    issuer = data.get(e.ISSUER_ACTION_CODE_DENIAL) or _ZEROS
    if matches(results, issuer, application.tac_denial):
        return e.DECLINED
    issuer = data.get(e.ISSUER_ACTION_CODE_ONLINE) or _ONES
    if matches(results, issuer, application.tac_online):
        return e.ONLINE
    return e.APPROVED


def unable_to_go_online(session: "Session") -> str:
    """DECLINED or APPROVED by the default action codes; an issuer's missing one is ones."""
    issuer = session.data.get(e.ISSUER_ACTION_CODE_DEFAULT) or _ONES
    if matches(session.tvr, issuer, session.application.tac_default):
        return e.DECLINED
    return e.APPROVED
