"""Online processing: issuer authentication and issuer scripts (Book 3 10.9, 10.10)."""

import tlv

from emv import elements as e
from emv.errors import IssuerDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

_OK = 0x9000
_SCRIPTS = 4
_COMMANDS = 16
_FIELD_55 = 512

# Script results (Book 4 Annex A5): high half of the byte; the low half is the failing command.
_FAILED = 0x10
_SUCCESSFUL = 0x20


class IssuerData:
    """What the host's field 55 holds: 91, and scripts by template in their order."""

    def __init__(self, field55: bytes) -> None:
        self.field55 = field55
        self.authentication: bytes | None = None
        self.scripts: list[tuple[int, int, int]] = []
        if len(field55) > _FIELD_55:
            raise IssuerDataError("field 55 of the reply is too long")
        try:
            for tag, begin, end in tlv.walk(field55):
                self._take(tag, begin, end)
        except tlv.TlvError as error:
            raise IssuerDataError(f"field 55 of the reply: {error}") from None

    def _take(self, tag: int, begin: int, end: int) -> None:
        if tag == e.ISSUER_AUTHENTICATION_DATA:
            if not 8 <= end - begin <= 16:
                raise IssuerDataError("issuer authentication data have 8-16 bytes")
            self.authentication = self.field55[begin:end]
        elif tag in (e.SCRIPT_TEMPLATE_1, e.SCRIPT_TEMPLATE_2):
            if len(self.scripts) >= _SCRIPTS:
                raise IssuerDataError("the reply has too many scripts")
            self.scripts.append((tag, begin, end))


async def issuer_authentication(session: "Session", data: "bytes | None") -> None:
    """EXTERNAL AUTHENTICATE if the AIP has it; else 91 goes with the second GENERATE AC (10.9)."""
    if data is None:
        return
    session.data.put(e.ISSUER_AUTHENTICATION_DATA, data)
    profile = session.data.need(e.APPLICATION_INTERCHANGE_PROFILE)[0]
    if not profile & e.AIP_ISSUER_AUTHENTICATION:
        return
    status, _, _ = await session.transmit(b"\x00\x82\x00\x00", data, answer=False)
    session.set_tsi(e.TSI_ISSUER_AUTHENTICATION)
    if status != _OK:
        session.set_tvr(e.TVR_ISSUER_AUTHENTICATION_FAILED)


async def scripts(session: "Session", issuer: IssuerData, template: int) -> None:
    """Run the scripts of one template, 71 before or 72 after the second GENERATE AC (10.10)."""
    for tag, begin, end in issuer.scripts:
        if tag != template:
            continue
        result = await _script(session, issuer.field55, begin, end)
        session.set_tsi(e.TSI_SCRIPTS)
        if result[0] & 0xF0 != _SUCCESSFUL:
            before = template == e.SCRIPT_TEMPLATE_1
            session.set_tvr(e.TVR_SCRIPT_FAILED_BEFORE if before else e.TVR_SCRIPT_FAILED_AFTER)
        earlier = session.data.get(e.ISSUER_SCRIPT_RESULTS) or b""
        session.data.put(e.ISSUER_SCRIPT_RESULTS, earlier + result)


async def _script(session: "Session", data: bytes, begin: int, end: int) -> bytes:
    """One script's five bytes of result. It ends at the first command that is refused."""
    name, commands = b"\x00\x00\x00\x00", []
    well_formed = True
    try:
        for tag, first, last in tlv.walk(data, begin, end):
            if tag == e.ISSUER_SCRIPT_IDENTIFIER and last - first == 4:
                name = data[first:last]
            elif tag == e.ISSUER_SCRIPT_COMMAND and 4 <= last - first <= 261:
                commands.append(data[first:last])
            else:
                well_formed = False
    except tlv.TlvError:
        well_formed = False
    if not well_formed or len(commands) > _COMMANDS:
        # Nothing of a malformed script is sent (10.10); it failed before its first command.
        return bytes((_FAILED,)) + name
    for number, command in enumerate(commands):
        mark = session.data.used
        status, _, _ = await session.transmit(command, answer=False)
        session.data.release(mark)
        if status >> 8 not in (0x90, 0x62, 0x63):
            return bytes((_FAILED | min(number + 1, 15),)) + name
    return bytes((_SUCCESSFUL,)) + name
