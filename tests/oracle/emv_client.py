"""Runs beside its own pcscd, in an environment of its own: reads cards with PyPI's `emv` 1.0.14.

Orders and answers are those of `pcsc_client.py`, and `{"do": "read", "place": n}`: the application
in that place of the directory, up to and with the first GENERATE AC. T=0 is all that it speaks.
"""

import sys
from typing import Any

from emv.cap import get_arqc_req
from emv.card import Card
from emv.protocol.data import Tag
from emv.protocol.response import ErrorResponse
from pcsc_client import Client, PcscError, obey
from smartcard.Exceptions import CardConnectionException, NoCardException
from smartcard.System import readers

AMOUNT, CHALLENGE = "12.34", "11223344"


def plain(value: Any) -> Any:
    """Bytes as hex; what `emv` has parsed (lists of data objects, of rules) in its own words."""
    if isinstance(value, list) and all(isinstance(each, int) for each in value):
        return bytes(value).hex().upper()
    return str(value)


def named(elements: Any) -> dict[str, Any]:
    """A template's elements by tag in hex."""
    found = {}
    for tag, value in elements.items():
        number = tag.id if isinstance(tag.id, tuple) else (tag.id,)
        found[bytes(number).hex().upper()] = plain(value)
    return found


def read(place: int) -> dict[str, Any]:
    """What `emv` makes of the card. PcscError when it fails, or the card does."""
    connection = readers()[0].createConnection()
    try:
        return _read(Card(connection), place)
    except (CardConnectionException, NoCardException, ErrorResponse) as error:
        raise PcscError(f"{type(error).__name__}: {error}") from None
    finally:
        connection.disconnect()


def _read(card: Card, place: int) -> dict[str, Any]:
    listed = [named(each) for each in card.list_applications()]
    aid = list(bytes.fromhex(listed[place]["4F"]))
    selected = card.select_application(aid).data[Tag.FCI]
    options = card.get_processing_options()
    data = card.get_application_data(options["AFL"])
    counters = card.get_metadata()
    asked = get_arqc_req(data, value=AMOUNT, challenge=CHALLENGE)
    answer = card.tp.exchange(asked).data
    return {
        "applications": listed,
        "selected": named(selected[Tag.FCI_PROP]),
        "profile": plain(options["AIP"]),
        "locator": plain(options["AFL"]),
        "elements": named(data),
        "counters": counters,
        "sent": bytes(asked.data).hex().upper(),
        "cryptogram": named(answer),
    }


if __name__ == "__main__":
    client = Client()
    obey(client, {"read": lambda order: read(order["place"])}, sys.stdin)
