"""The conversation with the acquirer, message by message (PROTOCOL.md).

A payment is journalled before its first byte leaves, and every way out of `authorise` leaves the
record in a state that tells the truth:

    declined → DECLINED           approved, tapped → COMPLETED
    approved, chip → APPROVED: the flow calls txn.complete(...) after the second GENERATE AC, or
                     txn.reverse('06') when the card refused
    LinkError: before the wire → still OPENED (leaving `Ledger.begin` cancels it)
               after → REVERSING ('98' no answer, 'A0' a wrong MAC)
"""

import asyncio
import time

import iso8583
import pinmac
from errors import DeviceError

from firmware.ledger.record import (
    APPROVED,
    BY_HAND,
    COMPLETED,
    DECLINED,
    MAC_ERROR,
    NO_ANSWER,
    REVERSED,
    REVERSING,
    TAP,
)
from firmware.ledger.vault import MAC
from firmware.link import calendar, codes, keys, messages
from firmware.link.connection import Connection
from firmware.link.errors import (
    LinkError,
    MacFault,
    MalformedReply,
    NoRadio,
    NotSignedOn,
    Refused,
    ReplyTimeout,
    ReversalStuck,
    Unsendable,
)
from firmware.version import BUILD_TIME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firmware.devices import Clock, Radio
    from firmware.ledger.ledger import Ledger
    from firmware.ledger.record import CardData, Txn
    from firmware.link.config import Config

_DAY = const(86_400)
_JITTER = const(60)  # a host this many seconds behind us has not turned the clock back
_BUFFER = const(1600)


class Reply:
    """The host's answer to a payment.

    code: F39. approved, capture: bool. message: the wording's key, e.g. 'rc_51'. reference,
    authorisation_code: str, '' if none. amount: fen approved. chip: F55 as bytes, b'' if none
    (tags 91 71 72). fields: all of them, {number: str or bytes}.
    """

    def __init__(self, fields: dict, amount: int) -> None:
        self.fields = fields
        self.code = fields[39]
        self.approved = codes.outcome(self.code) == "approved"
        self.capture = codes.outcome(self.code) == "capture"
        self.message = codes.key(self.code)
        self.reference = fields.get(37, "").strip()
        self.authorisation_code = fields.get(38, "").strip()
        self.amount = amount
        self.chip = fields.get(55, b"")


class SignOn:
    """What a sign-on did. clock_step: seconds the clock moved; clock_alarm: more than a day, or
    backwards: to be recorded and shown. batch_adopted: the host's batch number was taken;
    batch_differs: it could not be, since the batch holds transactions: settle first."""

    def __init__(self) -> None:
        self.clock_step = 0
        self.clock_alarm = False
        self.batch_adopted = False
        self.batch_differs = False


class Link:
    """config: estate.Parameters. clock, radio: devices.Clock, devices.Radio. log: callable(str)
    for what an engineer wants to see; no key, PIN, track or whole PAN ever goes there.

    `wish` is digit 6 of the last header: what the host asks for (3: sign on again; 0: nothing)."""

    def __init__(
        self,
        config: "Config",
        ledger: "Ledger",
        clock: "Clock",
        radio: "Radio",
        log: "Callable[[str], None] | None" = None,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._clock = clock
        self._radio = radio
        self._log = log or _ignore
        self._line = Connection(config, self._log)
        self._turn = asyncio.Lock()
        self._buffer = bytearray(_BUFFER)
        self._host_set_clock = False
        self.wish = 0

    @property
    def signed_on(self) -> bool:
        """The working keys are in pinmac: since the last sign-on, or from flash at boot."""
        return keys.loaded()

    async def sign_on(self, operator: str = "01") -> SignOn:
        """New working keys, the host's clock and batch. LinkError; Refused with the host's
        code."""
        async with self._turn:
            return await self._sign_on(operator)

    async def sign_off(self, operator: str = "01") -> None:
        """Tell the host, then forget the working keys. LinkError: they are kept."""
        async with self._turn:
            await self._ask_management("0820", messages.SIGN_OFF, operator)
            keys.forget(self._config.keys_folder)

    async def echo(self, operator: str = "01") -> int:
        """Milliseconds that a round trip takes, the connection being open."""
        async with self._turn:
            await self._connect()
            begun = time.ticks_ms()
            await self._ask_management("0820", messages.ECHO, operator)
            return time.ticks_diff(time.ticks_ms(), begun)

    async def settle_owed(self) -> int:
        """Send every reversal that is owed, oldest first; how many are through.

        The first one that is not raises: ReversalStuck when it had all its tries, else why."""
        async with self._turn:
            return await self._settle_owed()

    async def authorise(
        self, txn: "Txn", leaving: "Callable[[], Awaitable[None]] | None" = None
    ) -> Reply:
        """Send a payment and journal its answer. Needs `txn.card`, and settles what is owed first.

        `leaving` is awaited when all is ready and nothing of the payment has left: what it raises
        ends the payment there. From its return on there is no way back.
        LinkError as the table at the top of this file says."""
        async with self._turn:
            if not self.signed_on:
                raise NotSignedOn("no working keys: sign on first")
            await self._settle_owed()
            await self._connect()
            card: CardData = txn.card  # type: ignore[assignment]  # the caller has set it
            request = messages.payment(txn, card, self._config)
            try:
                frame = self._encode(request)
                if leaving is not None:
                    await leaving()
                self._ledger.send(txn)
                fields = await self._exchange(request, frame)
            except Unsendable:
                raise
            except MacFault as fault:
                txn.reverse(MAC_ERROR)
                await self._sign_on_if(fault.code)
                raise
            except LinkError:
                txn.reverse(NO_ANSWER)
                raise
            finally:
                messages.wipe(request)
                self._wipe()
            reply = Reply(fields, int(fields[4]))
            self._record(txn, reply)
            if not reply.approved:
                await self._sign_on_if(reply.code)
            return reply

    def stuck(self) -> "Txn | None":
        """The oldest reversal that has had all its tries: no payment until it is through, or..."""
        for txn in self._ledger.owed():
            if txn.state == REVERSING and txn.tries >= self._config.reversal_tries:
                return txn
        return None

    def settle_by_hand(self, txn: "Txn", supervisor: str) -> None:
        """...a supervisor takes it over: recorded with the name, listed apart at settlement."""
        txn.advance(BY_HAND, supervisor=supervisor)

    async def close(self) -> None:
        """Hang up, when nobody is talking."""
        async with self._turn:
            self._line.close()

    async def _connect(self) -> None:
        """Radio, clock floor, connection. Nothing is sent before this has returned."""
        if not self._radio.connected():
            try:
                await self._radio.connect(self._config.ssid, self._config.password)
            except DeviceError as error:
                raise NoRadio(f"cannot join the Wi-Fi network: {error}") from error
        floor = max(BUILD_TIME, self._ledger.stamp)
        if not self._host_set_clock and self._clock.now() < floor:
            self._clock.set(floor)
        await self._line.open()

    async def _exchange(self, request: messages.Request, frame: memoryview) -> dict:
        """One message out, its answer's fields back. MacFault if a keyed one does not verify."""
        await self._line.send(frame)
        begun = time.ticks_ms()
        while True:
            left = self._config.reply_ms - time.ticks_diff(time.ticks_ms(), begun)
            if left <= 0:
                self._line.close()
                raise ReplyTimeout("the host did not answer in time")
            frame = await self._line.receive(left)
            try:
                message = iso8583.decode(frame)
            except iso8583.Iso8583Error as error:
                self._line.close()
                raise MalformedReply(f"the answer is malformed: {error}") from error
            foreign = messages.mismatch(request, message)
            if foreign is None:
                break
            self._log(f"link: ignored an answer to something else ({foreign})")
        if 39 not in message.fields:
            raise MalformedReply("the answer is malformed: field 39 is missing")
        self.wish = message.wish
        if request.keyed and not _verified(frame, message):
            raise MacFault("the answer's MAC is wrong or missing", message.fields[39])
        return message.fields

    def _encode(self, request: messages.Request) -> memoryview:
        """The request as a frame, with today's MAC where it carries one. Unsendable."""
        shop = self._config
        try:
            length = iso8583.encode(
                self._buffer, request.mti, request.fields, shop.tpdu, shop.header
            )
        except iso8583.Iso8583Error as error:
            raise Unsendable(f"the request does not fit its format: {error}") from error
        if request.keyed:
            data = iso8583.mac_data(self._buffer, length)
            iso8583.set_mac(self._buffer, length, pinmac.mac(MAC, pinmac.MAC_CUP, data))
        return memoryview(self._buffer)[:length]

    def _wipe(self) -> None:
        """Overwrite what was sent: card number, track and PIN block end with their message."""
        for i in range(len(self._buffer)):
            self._buffer[i] = 0

    async def _ask_management(self, mti: str, what: str, operator: str) -> dict:
        await self._connect()
        request = messages.management(
            mti, what, self._ledger.take_trace(), self._ledger.batch, operator, self._config
        )
        fields = await self._exchange(request, self._encode(request))
        if fields[39] != "00":
            raise Refused(fields[39])
        return fields

    async def _sign_on(self, operator: str) -> SignOn:
        fields = await self._ask_management("0800", messages.SIGN_ON, operator)
        for number in (12, 13, 60, 62):
            if number not in fields:
                raise MalformedReply(f"the sign-on's answer lacks field {number}")
        if len(fields[60]) < 8:
            raise MalformedReply("the sign-on's answer has no batch in field 60")
        moment = self._moment(fields[12], fields[13])
        keys.install(fields[62], self._config.keys_folder)
        result = SignOn()
        self._set_clock(moment, result)
        batch = int(fields[60][2:8])
        if batch != self._ledger.batch:
            if self._ledger.may_adopt and batch:
                self._ledger.adopt_batch(batch)
                result.batch_adopted = True
            else:
                result.batch_differs = True
        return result

    def _moment(self, host_time: str, host_date: str) -> int:
        """The host's clock; its year is the one nearest to ours, which is never before its
        floor."""
        try:
            return calendar.host_moment(host_time, host_date, self._clock.now())
        except iso8583.Iso8583Error as error:
            raise MalformedReply(f"the host's clock: {error}") from error

    def _set_clock(self, moment: int, result: SignOn) -> None:
        result.clock_step = moment - self._clock.now()
        result.clock_alarm = not -_JITTER <= result.clock_step <= _DAY
        if result.clock_alarm:
            self._log(f"link: the host moved the clock by {result.clock_step} s")
        self._clock.set(moment)
        self._host_set_clock = True

    async def _sign_on_if(self, code: str) -> None:
        """One sign-on when the host asks for it by its code; its failure changes nothing else."""
        if code in codes.SIGN_ON_AGAIN:
            try:
                if (await self._sign_on("01")).batch_differs:
                    self._log("link: the host has another batch: settle this one first")
            except LinkError as error:
                self._log(f"link: signing on again failed ({error})")

    def _record(self, txn: "Txn", reply: Reply) -> None:
        """Journal a verified answer: after this nobody owes anything, or only the chip does."""
        fields = {"response_code": reply.code}
        for number, name in (
            (12, "host_time"), (13, "host_date"), (15, "settlement_date"),
            (37, "reference"), (38, "authorisation_code"), (44, "institutions"),
        ):  # fmt: skip
            if number in reply.fields:
                fields[name] = reply.fields[number]
        state = DECLINED
        if reply.approved:
            state = COMPLETED if txn.entry == TAP else APPROVED
        txn.advance(state, **fields)

    async def _settle_owed(self) -> int:
        settled = 0
        for txn in self._ledger.owed():
            if txn.state == REVERSING:
                await self._reverse(txn)
                settled += 1
        return settled

    async def _reverse(self, txn: "Txn") -> None:
        """Send one reversal, and once more after a sign-on that its answer asked for."""
        if not self.signed_on:
            raise NotSignedOn("no working keys: sign on first")
        code = await self._try_reversal(txn)
        if code in codes.SIGN_ON_AGAIN:
            await self._sign_on_if(code)
            code = await self._try_reversal(txn)
        if code in codes.SETTLES_REVERSAL:
            txn.advance(REVERSED, reversal_code=code)
            return
        if txn.tries >= self._config.reversal_tries:
            raise ReversalStuck(f"trace {txn.trace}: {txn.tries} reversals, the last said {code}")
        raise Refused(code)

    async def _try_reversal(self, txn: "Txn") -> str:
        """Count a try, send it; the answer's F39. An answer without a good MAC settles nothing."""
        await self._connect()
        txn.advance(REVERSING, tries=txn.tries + 1)
        request = messages.reversal(
            txn, self._ledger.card(txn), self._ledger.chip(txn), self._config
        )
        try:
            return (await self._exchange(request, self._encode(request)))[39]
        except MacFault as fault:
            if fault.code in codes.SIGN_ON_AGAIN:
                return fault.code
            failure: LinkError = fault
        except LinkError as error:
            failure = error
        finally:
            self._wipe()
        if txn.tries >= self._config.reversal_tries:
            raise ReversalStuck(f"trace {txn.trace}: {txn.tries} reversals, {failure}")
        raise failure


def _verified(frame: memoryview, message: iso8583.Message) -> bool:
    """Whether the frame carries its MAC in field 64, and the right one."""
    if 64 not in message.fields:
        return False
    data = iso8583.mac_data(frame, len(frame))
    try:
        return pinmac.mac_verify(MAC, pinmac.MAC_CUP, data, frame[len(frame) - 8 :])
    except pinmac.IntegrityError:
        return False


def _ignore(line: str) -> None:
    """Nobody listens to the log."""
