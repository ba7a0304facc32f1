"""Offline data authentication (Book 3 10.3, Book 2 5 and 6): which method, and its marks."""

from emv import elements as e

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

# Terminal capabilities, byte 3 (Book 4 Annex A2).
_SDA = 0x80
_DDA = 0x40
_CDA = 0x08


def method(profile: int, capabilities: int) -> "str | None":
    """CDA, else DDA, else SDA: the best that the AIP's first byte and 9F33's third both have."""
    if profile & e.AIP_CDA and capabilities & _CDA:
        return "CDA"
    if profile & e.AIP_DDA and capabilities & _DDA:
        return "DDA"
    if profile & e.AIP_SDA and capabilities & _SDA:
        return "SDA"
    return None


async def offline_data_authentication(session: "Session") -> "str | None":
    """Authenticate the card's data. The method, or None when neither side has one in common.

    9F33 of this terminal offers no method, so the TVR says that none was performed and the TSI
    stays as it was (10.3); a terminal whose 9F33 promises one is refused rather than believed.
    """
    profile = session.data.need(e.APPLICATION_INTERCHANGE_PROFILE)[0]
    capabilities = session.data.need(e.TERMINAL_CAPABILITIES)[2]
    chosen = method(profile, capabilities)
    if chosen is not None:
        raise ValueError(f"9F33 promises {chosen}, which this library does not perform")
    session.set_tvr(e.TVR_ODA_NOT_PERFORMED)
    return None
