"""The PN532 NFC controller (user manual UM0701-02): its commands and what it selected.

The field holds any number of cards (tools.sim.cards); the chip takes up to two of them. ISO 14443
type A is what its cards speak; polls for other types find nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tools.sim.cards import Gone, Mute
from tools.sim.chips import pn532_frames as frames
from tools.sim.chips.isodep import Pcd, Picc, Silence
from tools.sim.chips.masking import masked_apdu

if TYPE_CHECKING:
    from tools.sim.chips import Handle, Host

FIRMWARE = bytes((0x32, 0x01, 0x06, 0x07))
TIMEOUT, NOT_ACCEPTABLE = 0x01, 0x27
AUTOMATIC_RATS, CAN_ISO_DEP, MORE = 0x10, 0x20, 0x40
LONGEST_DATA = 262
ACK_AFTER_US, ANSWER_AFTER_US, POLL_US, AIR_TIMEOUT_US = 200, 500, 5_000, 50_000


class Refused(Exception):
    """A command that the chip answers with a syntax error frame."""


class Target:
    """A card that the chip selected, and its number."""

    def __init__(self, card: Any, execute: Callable[[bytes], bytes]) -> None:
        self.card = card
        self.picc = Picc(card.ats, execute, card.delay_us)
        self.pcd = Pcd(self.picc)
        self.left = b""


class Chip:
    """What both faces share. `tap` and `untap` put cards into the field and take them out.

    `piece` is how much of a card's answer one frame carries before bit MI announces the rest."""

    def __init__(self, *, piece: int = LONGEST_DATA) -> None:
        self._piece = piece
        self._host: Host | None = None
        self._cards: list[Any] = []
        self._finder = frames.FrameFinder()
        self._pending: list[Handle] = []
        self._last = b""
        self._reset()

    def _reset(self) -> None:
        self._field = False
        self._targets: dict[int, Target] = {}
        self._parameters = AUTOMATIC_RATS | 0x04
        self._retries = 0xFF
        self._registers: dict[int, int] = {}
        self._irq_used = True
        self._asleep = True
        self._polling: tuple[int, bytes] | None = None

    def power_cycle(self) -> None:
        """The chip lost its power and has it again: asleep, field off; cards stay near."""
        self._abort()
        self._finder.clear()
        self._set_field(False)
        self._reset()

    def attach(self, host: "Host") -> None:
        """Connect the model to the line's other end."""
        self._host = host

    @property
    def cards(self) -> list[Any]:
        """The cards that are in the field now."""
        return list(self._cards)

    def tap(self, card: Any) -> None:
        """Bring a card into the field; RuntimeError when it is there already."""
        if card in self._cards:
            raise RuntimeError("The card is in the field already.")
        self._cards.append(card)
        name = getattr(card, "name", "")
        self._world().event("card", interface="contactless", action="inserted", name=name)
        if self._polling is not None:
            self._later(POLL_US, self._find_targets)

    def untap(self, card: Any) -> None:
        """Take a card out of the field; nothing happens when it is not there."""
        if card not in self._cards:
            return
        self._cards.remove(card)
        name = getattr(card, "name", "")
        self._world().event("card", interface="contactless", action="removed", name=name)

    # ---- frames in, frames out

    def _out(self, frame: bytes) -> None:
        """Hand a whole frame to the host."""
        raise NotImplementedError

    def _feed(self, data: bytes) -> None:
        for frame in self._finder.feed(data):
            if frame == frames.NACK:
                self._out(self._last)
            elif frame == frames.ACK:
                self._abort()
            elif frame == frames.SYNTAX_ERROR:
                self._later(ACK_AFTER_US, self._out, frame)
            else:
                self._abort()
                self._later(ACK_AFTER_US, self._out, frames.ACK)
                self._command(frame)

    def _abort(self) -> None:
        """A new command or an ACK from the host ends the command that is going on."""
        for handle in self._pending:
            handle.cancel()
        self._pending.clear()
        self._polling = None

    def _command(self, frame: bytes) -> None:
        code, parameters = frame[0], frame[1:]
        action = COMMANDS.get(code)
        try:
            if action is None:
                raise Refused
            answer, delay = action(self, parameters)
        except (Refused, IndexError):
            self._later(ACK_AFTER_US + ANSWER_AFTER_US, self._out, frames.SYNTAX_ERROR)
            return
        if answer is not None:
            self._answer(code, answer, delay)

    def _answer(self, code: int, data: bytes, delay: int = 0) -> None:
        frame = frames.build(bytes((code + 1,)) + data)
        self._later(ACK_AFTER_US + ANSWER_AFTER_US + delay, self._finish, frame)

    def _finish(self, frame: bytes) -> None:
        self._last = frame
        self._out(frame)

    def _later(self, us: int, call: Callable[..., None], *args: Any) -> None:
        self._pending.append(self._world().call_later(us, call, *args))

    # ---- commands about the chip: each gives (data or None while it goes on, delay in us)

    def _diagnose(self, parameters: bytes) -> tuple[bytes, int]:
        test = parameters[0]
        if test == 0x00:
            return parameters, 0
        if test in (0x01, 0x02, 0x07):
            return b"\x00", 0
        if test == 0x05:
            return b"", 0
        if test == 0x06:
            target = self._targets.get(1)
            if target is None or target.card not in self._cards or not target.pcd.here():
                return bytes((TIMEOUT,)), AIR_TIMEOUT_US
            return b"\x00", 0
        raise Refused

    def _firmware(self, parameters: bytes) -> tuple[bytes, int]:
        return FIRMWARE, 0

    def _status(self, parameters: bytes) -> tuple[bytes, int]:
        targets = b"".join(bytes((number, 0, 0, 0)) for number in self._targets)
        return bytes((0, self._field, len(self._targets))) + targets + b"\x80", 0

    def _read_registers(self, parameters: bytes) -> tuple[bytes, int]:
        if not parameters or len(parameters) % 2:
            raise Refused
        pairs = zip(parameters[::2], parameters[1::2], strict=True)
        return bytes(self._registers.get(high << 8 | low, 0) for high, low in pairs), 0

    def _write_registers(self, parameters: bytes) -> tuple[bytes, int]:
        if not parameters or len(parameters) % 3:
            raise Refused
        for i in range(0, len(parameters), 3):
            self._registers[parameters[i] << 8 | parameters[i + 1]] = parameters[i + 2]
        return b"", 0

    def _baud_rate(self, parameters: bytes) -> tuple[bytes, int]:
        if parameters[0] > 0x08:
            raise Refused
        return b"", 0

    def _set_parameters(self, parameters: bytes) -> tuple[bytes, int]:
        self._parameters = parameters[0]
        return b"", 0

    def _sam_configuration(self, parameters: bytes) -> tuple[bytes, int]:
        if parameters[0] not in (1, 2, 3, 4):
            raise Refused
        if len(parameters) > 2:
            self._irq_used = bool(parameters[2])
        return b"", 0

    def _power_down(self, parameters: bytes) -> tuple[bytes, int]:
        if not parameters:
            raise Refused
        self._set_field(False)
        self._later(ACK_AFTER_US + ANSWER_AFTER_US + 1_000, self._sleep)
        return b"\x00", 0

    def _sleep(self) -> None:
        self._asleep = True

    def _rf_configuration(self, parameters: bytes) -> tuple[bytes, int]:
        item, data = parameters[0], parameters[1:]
        lengths = {0x01: 1, 0x02: 3, 0x04: 1, 0x05: 3, 0x0A: 11, 0x0B: 8, 0x0C: 3, 0x0D: 9}
        if lengths.get(item) != len(data):
            raise Refused
        if item == 0x01:
            self._set_field(bool(data[0] & 1))
        elif item == 0x05:
            self._retries = data[2]
        return b"", 0

    def _set_field(self, on: bool) -> None:
        if on != self._field:
            self._world().event("field", on=on)
        self._field = on
        if not on:
            self._targets.clear()

    # ---- commands about targets

    def _list_targets(self, parameters: bytes) -> tuple[bytes | None, int]:
        most, modulation = parameters[0], parameters[1]
        if not 1 <= most <= 2 or modulation > 4:
            raise Refused
        self._set_field(True)
        self._targets.clear()
        self._polling = (most if modulation == 0 else 0, parameters[2:])
        if modulation == 0 and self._cards:
            self._later(POLL_US, self._find_targets)
        if self._retries != 0xFF:
            self._later(POLL_US * (self._retries + 2), self._give_up)
        return None, 0

    def _give_up(self) -> None:
        self._polling = None
        self._answer(0x4A, b"\x00")

    def _find_targets(self) -> None:
        """Anticollision over the cards in the field; answers unless there is none to take."""
        if self._polling is None:
            return
        most, wanted = self._polling
        cards = [card for card in self._cards if not wanted or card.uid == wanted]
        if not most or not cards:
            return
        self._abort()
        answer = b""
        for number, card in enumerate(cards[:most], 1):
            answer += self._select(number, card)
        self._answer(0x4A, bytes((len(self._targets),)) + answer)

    def _select(self, number: int, card: Any) -> bytes:
        card.reset("contactless")
        target = self._targets[number] = Target(card, lambda command: self._execute(card, command))
        head = bytes((number,)) + card.atqa + bytes((card.sak, len(card.uid))) + card.uid
        if not card.sak & CAN_ISO_DEP or not self._parameters & AUTOMATIC_RATS:
            return head
        try:
            return head + target.pcd.activate()
        except Silence:
            return head

    def _execute(self, card: Any, command: bytes) -> bytes:
        response = card.apdu(command)
        shown, answer = masked_apdu(command, response, getattr(card, "pans", ()))
        self._world().event("apdu", interface="contactless", command=shown, response=answer)
        return response

    def _over_the_air(
        self, target: Target, talk: Callable[[], tuple[bytes, int]]
    ) -> tuple[bytes, int] | None:
        """Run one conversation with a card; None for silence, whatever its cause."""
        if target.card not in self._cards or not self._field:
            return None
        try:
            return talk()
        except Gone:
            self.untap(target.card)
        except (Mute, Silence):
            pass
        return None

    def _exchange(self, parameters: bytes) -> tuple[bytes, int]:
        target, data = self._targets.get(parameters[0] & 0x3F), parameters[1:]
        if target is None or not target.picc.active:
            return bytes((NOT_ACCEPTABLE,)), 0
        more = bool(parameters[0] & MORE)
        if target.left and not data:
            return self._part(target), 0
        heard = self._over_the_air(target, lambda: target.pcd.exchange(data, more))
        if heard is None:
            return bytes((TIMEOUT,)), AIR_TIMEOUT_US
        target.left, delay = heard
        return self._part(target), delay

    def _part(self, target: Target) -> bytes:
        """Status and as much of the answer as one frame carries; MI says that there is more."""
        part, target.left = target.left[: self._piece], target.left[self._piece :]
        return bytes((MORE if target.left else 0,)) + part

    def _communicate_through(self, parameters: bytes) -> tuple[bytes, int]:
        """Raw blocks to the card that is selected; the chip adds and checks their CRC."""
        target = self._targets.get(1)
        if target is None:
            return bytes((TIMEOUT,)), AIR_TIMEOUT_US
        heard = self._over_the_air(target, lambda: target.picc.transceive(parameters))
        if heard is None:
            return bytes((TIMEOUT,)), AIR_TIMEOUT_US
        block, delay = heard
        return b"\x00" + block, delay

    def _deselect(self, parameters: bytes) -> tuple[bytes, int]:
        for target in self._numbered(parameters[0]):
            target.pcd.deselect()
        return b"\x00", 0

    def _release(self, parameters: bytes) -> tuple[bytes, int]:
        for target in self._numbered(parameters[0]):
            if target.picc.active and target.card in self._cards:
                target.pcd.deselect()
        if parameters[0]:
            self._targets.pop(parameters[0], None)
        else:
            self._targets.clear()
        return b"\x00", 0

    def _select_again(self, parameters: bytes) -> tuple[bytes, int]:
        target = self._targets.get(parameters[0])
        if target is None:
            return bytes((NOT_ACCEPTABLE,)), 0
        if not target.picc.active:
            woken = self._over_the_air(target, lambda: (target.pcd.activate(), 0))
            if woken is None:
                return bytes((TIMEOUT,)), AIR_TIMEOUT_US
        return b"\x00", 0

    def _numbered(self, number: int) -> list[Target]:
        """Target `number`, or all of them for zero."""
        return [target for at, target in self._targets.items() if number in (0, at)]

    def _world(self) -> "Host":
        if self._host is None:
            raise RuntimeError("The PN532 is not attached to a host.")
        return self._host


COMMANDS: dict[int, Callable[[Any, bytes], tuple[bytes | None, int]]] = {
    0x00: Chip._diagnose,
    0x02: Chip._firmware,
    0x04: Chip._status,
    0x06: Chip._read_registers,
    0x08: Chip._write_registers,
    0x10: Chip._baud_rate,
    0x12: Chip._set_parameters,
    0x14: Chip._sam_configuration,
    0x16: Chip._power_down,
    0x32: Chip._rf_configuration,
    0x40: Chip._exchange,
    0x42: Chip._communicate_through,
    0x44: Chip._deselect,
    0x4A: Chip._list_targets,
    0x52: Chip._release,
    0x54: Chip._select_again,
}
"""Command codes of user manual clause 7."""
