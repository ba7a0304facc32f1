"""待机: what the terminal does between payments, and the one place where flows start and end."""

import asyncio

import aio
import pinmac
from errors import CardError, DeviceError

from firmware.care.errors import CareError
from firmware.care.operators import role
from firmware.estate.errors import EstateError
from firmware.flows import moments
from firmware.flows.errors import PayerError
from firmware.flows.login import login
from firmware.flows.menu import menu
from firmware.flows.sale import sale
from firmware.flows.sign_on import sign_on
from firmware.ledger.errors import LedgerError
from firmware.ledger.vault import FileCorrupt, VaultError
from firmware.link.errors import LinkError
from firmware.ui.ask import Cancelled, TimedOut
from firmware.ui.screens import IdleFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable

    from firmware.flows.pos import Pos

# What a flow may end with: each has words. Anything else is a fault of the program.
NAMED = (
    CareError, DeviceError, EstateError, FileCorrupt, LedgerError, LinkError, PayerError,
    VaultError, pinmac.Error,
)  # fmt: skip

# Of these, what a payer or a card did: no fault of the terminal, so none for its log.
_OUTSIDE = (CardError, PayerError, pinmac.PinExpiredError)

_REFRESH_MS = const(5000)
_RADIO_MS = const(30_000)
_SIGN_ON_WISH = const(3)
_AMOUNT_KEYS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "00", ".")


async def idle(pos: "Pos") -> None:
    """For ever: log in, then wait for the first key of something to do."""
    while True:
        if not pos.operator:
            await _log_in(pos)
        elif role(pos.operator) != "cashier":
            await _from_menu(pos)
        else:
            await _at_the_counter(pos)


async def run(pos: "Pos", flow: "Awaitable[None]") -> None:
    """One flow, from its first screen to a tidy terminal; its errors become words."""
    try:
        await flow
    except (Cancelled, TimedOut) as error:
        if pos.paying:
            await pos.tell_ended(error)
    except NAMED as error:
        if not isinstance(error, _OUTSIDE):
            pos.faults.record("flow", error)
        await pos.tell(error)
    finally:
        pos.paying, pos.payment = False, None
        try:
            await pos.take_card()
        finally:
            pos.tidy()
    if pos.link.wish == _SIGN_ON_WISH and pos.operator:
        pos.link.wish = 0
        await run(pos, _wished(pos))


async def _wished(pos: "Pos") -> None:
    """The sign-on that the host asked for: one, even if its answer asks again."""
    try:
        await sign_on(pos)
    finally:
        pos.link.wish = 0


async def _log_in(pos: "Pos") -> None:
    await run(pos, login(pos))
    if pos.operator and not pos.link.signed_on and role(pos.operator) == "cashier":
        await run(pos, sign_on(pos))


async def _from_menu(pos: "Pos") -> None:
    """The supervisor and the administrator have nothing but their menu; 取消 logs them out."""
    try:
        flow = await menu(pos)
    except (Cancelled, TimedOut):
        pos.operator = ""
        return
    await run(pos, flow(pos))


async def _at_the_counter(pos: "Pos") -> None:
    """A digit begins an amount, MENU opens the menu."""
    key = await _first_key(pos)
    if key in _AMOUNT_KEYS:
        await run(pos, sale(pos, key))
    elif key == "MENU":
        try:
            flow = await menu(pos)
        except (Cancelled, TimedOut):
            return
        await run(pos, flow(pos))


async def _first_key(pos: "Pos") -> str:
    pos.board.lamps.show("idle")
    key, _ = await aio.race(_key_while_shown(pos), _keep_radio(pos))
    pos.board.buzzer.beep("key")
    return key


async def _key_while_shown(pos: "Pos") -> str:
    """The next key; the screen follows the clock and the radio meanwhile."""
    shown = None
    while True:
        facts = _facts(pos)
        if facts.key() != shown:
            shown = facts.key()
            pos.screens.idle(facts)
            await pos.screens.show()
        try:
            (key,) = await aio.race(pos.board.keypad.key(), timeout=_REFRESH_MS)
        except aio.RaceTimeout:
            continue
        return key


async def _keep_radio(pos: "Pos") -> None:
    """Join the Wi-Fi again when it was lost, as long as nobody wants anything else."""
    radio, shop = pos.board.radio, pos.shop
    while True:
        if not radio.connected():
            try:
                await radio.connect(shop.ssid, shop.password)
            except DeviceError as error:
                pos.faults.record("radio", error)
        await asyncio.sleep_ms(_RADIO_MS)


def _facts(pos: "Pos") -> IdleFacts:
    radio, words = pos.board.radio, pos.words
    facts = IdleFacts()
    facts.time = moments.clock_face(pos.board.clock.now())
    facts.connected = radio.connected()
    facts.bars = radio.bars() if facts.connected else 0
    facts.batch = pos.ledger.batch
    english = pos.words.language == "en" and pos.shop.name_en
    facts.merchant = english or pos.shop.name
    facts.operator = pos.operator
    facts.signed_on = pos.link.signed_on
    facts.owed = len(pos.ledger.owed())
    facts.notes = (words("unprinted"),) if pos.unprinted else ()
    return facts
