"""Sign-on, sign-off and echo: messages about the terminal, without money and without a MAC."""

from __future__ import annotations

from collections.abc import Callable

from tools.acquirer import crypto
from tools.acquirer.errors import Refusal
from tools.acquirer.store import TerminalRow
from tools.acquirer.wire import Message

TYPES = frozenset(("0800", "0820"))
ACQUIRER = "99020000"  # field 32

_SIGN_OFF = "002"
_ECHO = "301"


def answer(
    request: Message, terminal: TerminalRow, tmk: bytes, random: Callable[[int], bytes]
) -> dict[int, str]:
    """Do what the message asks of its terminal; returns the fields of its reply.

    Raises Refusal 30 for a message without fields 11 and 60, 40 for one this host does not serve.
    """
    if 11 not in request.fields or len(request.network_code) != 3:
        raise Refusal("30", "field 11 or 60 is missing")
    reference = f"{terminal.batch:06d}{request.fields[11]}"
    fields = {37: reference, 39: "00", 60: f"00{terminal.batch:06d}{request.network_code}"}
    service = (request.mti, request.network_code)
    if service == ("0820", _ECHO):
        return fields
    if service == ("0820", _SIGN_OFF):
        _set_keys(terminal, {})
        terminal.operator = ""
        return fields
    if request.mti == "0800" and request.network_code in crypto.KEY_SETS:
        issued = crypto.issue_keys(tmk, request.network_code, random)
        _set_keys(terminal, issued.cryptograms)
        terminal.operator = request.fields.get(63, "")[:3]
        return fields | {62: issued.field_62.hex().upper()}
    raise Refusal("40", f"no service for {request.mti}, network code {request.network_code}")


def _set_keys(terminal: TerminalRow, cryptograms: dict[str, bytes]) -> None:
    terminal.pin_key = cryptograms.get("pin")
    terminal.mac_key = cryptograms.get("mac")
    terminal.track_key = cryptograms.get("track")
