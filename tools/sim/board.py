"""The virtual board: routes what the firmware does on pins and buses to the chip models.

Wired by name as board/esp32s3/pins.csv says. A chip on a serial port is attached by the port's
name (`PRINTER` for PRINTER_TX and PRINTER_RX), one on SPI by its select line, one with plain lines
by a table of its line names and the board's pins.
"""

from __future__ import annotations

import csv
import errno
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.sim.clock import Clock, Timer
from tools.sim.link import Channel

PINS = Path(__file__).resolve().parents[2] / "board" / "esp32s3" / "pins.csv"
MODE_IN, MODE_OUT, MODE_OPEN_DRAIN = 1, 3, 7
PULL_DOWN, PULL_UP = 1, 2
UART_PIECE = 128
UNCHANGED = 255


class BoardError(Exception):
    """A chip is attached to a pin or port that the board does not have."""


def read_pins(path: Path = PINS) -> dict[str, int]:
    """GPIO numbers by name, in the table's order."""
    with path.open(encoding="utf-8") as table:
        rows = [row for row in csv.reader(table) if row and not row[0].startswith("#")]
    return {row[0].strip(): int(row[1].strip().removeprefix("GPIO")) for row in rows}


class _Pin:
    """One GPIO: what the firmware set, and what a chip drives."""

    def __init__(self, name: str, gpio: int):
        self.name = name
        self.gpio = gpio
        self.driven: int | None = None
        self.listener: Callable[[int | None], None] | None = None
        self.reset()

    def reset(self) -> None:
        """As after power-on: an input without pull and interrupt."""
        self.mode = 0
        self.pull = 0
        self.output = 0
        self.trigger = 0
        self.reads = 0  # how often the firmware looked

    def drive(self) -> int | None:
        """What the firmware puts on the line; None for high impedance."""
        if self.mode == MODE_OUT:
            return self.output
        if self.mode == MODE_OPEN_DRAIN and not self.output:
            return 0
        return None

    def level(self) -> int:
        """What the line reads as."""
        for level in (self.drive(), self.driven):
            if level is not None:
                return level
        return 1 if self.pull == PULL_UP else 0


class ChipHost:
    """What a chip model sees of the board (tools.sim.chips.Host)."""

    def __init__(self, board: Board, chip: str):
        self.port: int | None = None
        self.lines: dict[str, _Pin] = {}
        self._board = board
        self._chip = chip

    def send(self, data: bytes) -> None:
        """Bytes out of a UART chip; they take their time on the wire."""
        if self.port is not None:
            self._board.uart_to_firmware(self.port, data)

    def line(self, name: str, level: int | None) -> None:
        """Drive one of the chip's output lines; None lets it float."""
        self._board.drive(self.lines[name], level)

    def call_later(self, us: int, call: Any, *args: Any) -> Timer:
        """Call back after so many microseconds of board time."""
        return self._board.clock.call_later(us, call, *args)

    def event(self, kind: str, **fields: Any) -> None:
        """Tell the timeline."""
        self._board.emit(kind, chip=self._chip, **fields)


class _Port:
    """One UART as the firmware opened it."""

    def __init__(self, name: str, baudrate: int, bits: int):
        self.name = name
        self.byte_us = bits * 1_000_000 / baudrate
        self.free = {"out": 0.0, "in": 0.0}


class Board:
    """The wires between the firmware's link and the chip models."""

    def __init__(
        self,
        clock: Clock,
        tell: Callable[[int, bytes], None],
        emit: Callable[..., None],
    ):
        self.clock = clock
        self.emit = emit
        self._tell = tell
        self._pins = {gpio: _Pin(name, gpio) for name, gpio in read_pins().items()}
        self._names = {pin.name: pin for pin in self._pins.values()}
        self._uart_chips: dict[str, Any] = {}
        self._uart_hosts: dict[str, ChipHost] = {}
        self._ports: dict[int, _Port] = {}
        self._spi: dict[int, Any] = {}
        self._i2c: dict[int, Any] = {}
        self._pwm: dict[int, Callable[[int, int], None]] = {}
        self._bits: dict[int, Callable[[bytes], None]] = {}

    # ---- attaching chips

    def pin(self, name: str) -> _Pin:
        """A pin by its name in pins.csv. BoardError when there is none."""
        if name not in self._names:
            raise BoardError(f"pins.csv has no pin {name!r}")
        return self._names[name]

    def port_name(self, number: int) -> str:
        """Which serial port the firmware opened as UART `number`; '' when none."""
        return self._ports[number].name if number in self._ports else ""

    def table(self) -> str:
        """The pins as the firmware's start asks for them."""
        return "\n".join(f"{pin.name},{pin.gpio}" for pin in self._pins.values())

    def attach_uart(self, port: str, chip: Any) -> None:
        """Put a chip at the other end of a serial port (`PRINTER`, `READER`, `SCANNER`)."""
        self.pin(f"{port}_TX")
        host = ChipHost(self, port.lower())
        self._uart_chips[port] = chip
        self._uart_hosts[port] = host
        chip.attach(host)

    def attach_spi(self, name: str, select: str, chip: Any, lines: dict[str, str],
                   outputs: dict[str, str]) -> None:
        """Put a chip on the SPI bus, selected by a low level on the pin `select`.

        `lines`: the chip's input lines by the board's pins; `outputs`: its outputs likewise.
        """
        pin = self.pin(select)
        self._spi[pin.gpio] = chip
        pin.listener = lambda level: chip.select(level == 0)
        self._attach_lines(name, chip, lines, outputs)

    def attach_i2c(self, name: str, address: int, chip: Any) -> None:
        """Put a chip on the I2C bus."""
        self._i2c[address] = chip
        chip.attach(ChipHost(self, name))

    def attach_lines(self, name: str, chip: Any, lines: dict[str, str],
                     outputs: dict[str, str]) -> None:
        """Put a chip with plain lines on the board (as `attach_spi`, without a bus)."""
        self._attach_lines(name, chip, lines, outputs)

    def attach_pwm(self, pin: str, hear: Callable[[int, int], None]) -> None:
        """Let `hear(frequency, duty of 65535)` follow a pin's PWM."""
        self._pwm[self.pin(pin).gpio] = hear

    def attach_bits(self, name: str, pin: str, chip: Any) -> None:
        """Let `chip.bits(data)` follow a pin's bit stream."""
        self._bits[self.pin(pin).gpio] = chip.bits
        chip.attach(ChipHost(self, name))

    def _attach_lines(self, name: str, chip: Any, lines: dict[str, str],
                      outputs: dict[str, str]) -> None:
        host = ChipHost(self, name)
        for line, pin_name in outputs.items():
            host.lines[line] = self.pin(pin_name)
        chip.attach(host)
        for line, pin_name in lines.items():
            self.pin(pin_name).listener = lambda level, line=line: chip.line(line, level)

    # ---- the chips' side

    def drive(self, pin: _Pin, level: int | None) -> None:
        """A chip drives a line; an edge that the firmware listens for interrupts it."""
        before = pin.level()
        pin.driven = level
        after = pin.level()
        if before != after and pin.trigger & (1 if after else 2):
            self._tell(Channel.PIN, bytes((pin.gpio, after)))

    def uart_to_firmware(self, number: int, data: bytes) -> None:
        """A chip sends bytes; they arrive piece by piece as the wire carries them."""
        port = self._ports[number]
        for piece in _pieces(data):
            due = self._wire(port, "in", len(piece))
            self.clock.call_at(due, self._tell, Channel.UART, bytes((number,)) + piece)

    def _wire(self, port: _Port, way: str, count: int) -> int:
        port.free[way] = max(port.free[way], self.clock.now()) + count * port.byte_us
        return int(port.free[way])

    # ---- the firmware's side

    def reset(self) -> None:
        """The chip was reset: pins float, ports are closed."""
        self._ports.clear()
        for host in self._uart_hosts.values():
            host.port = None
        for pin in self._pins.values():
            before = pin.drive()
            pin.reset()
            self._heard(pin, before)

    def handle(self, channel: int, payload: bytes, call: bool) -> bytes:
        """One access of the firmware to a pin or a bus; the answer to a call."""
        if channel == Channel.PIN:
            return self._pin_access(payload)
        if channel == Channel.PWM:
            gpio, frequency, duty = struct.unpack("<BIH", payload)
            if gpio in self._pwm:
                self._pwm[gpio](frequency, duty)
        elif channel == Channel.BITS:
            if payload[0] in self._bits:
                self._bits[payload[0]](payload[1:])
        elif channel == Channel.UART:
            self._uart_access(payload)
        elif channel == Channel.SPI:
            return self._spi_access(payload[2:], call)
        elif channel == Channel.I2C:
            return self._i2c_access(payload)
        return b""

    def _pin_access(self, payload: bytes) -> bytes:
        command, pin = payload[:1], self._pins[payload[1]]
        before = pin.drive()
        if command == b"r":
            pin.reads += 1
            return bytes((pin.level(),))
        if command == b"i":
            pin.trigger = payload[2]
        elif command == b"w":
            pin.output = payload[2]
        else:
            _, mode, pull, level = payload[1:]
            pin.mode = mode
            pin.pull = pin.pull if pull == UNCHANGED else pull
            pin.output = pin.output if level == UNCHANGED else level
        self._heard(pin, before)
        return b""

    def _heard(self, pin: _Pin, before: int | None) -> None:
        after = pin.drive()
        if after != before and pin.listener is not None:
            pin.listener(after)

    def _uart_access(self, payload: bytes) -> None:
        command, number = payload[:1], payload[1]
        if command == b"o":
            tx, _, baudrate, bits = struct.unpack("<BBIB", payload[2:])
            name = self._pins[tx].name.removesuffix("_TX")
            self._ports[number] = _Port(name, baudrate, bits)
            if name in self._uart_hosts:
                self._uart_hosts[name].port = number
            return
        port = self._ports[number]
        chip = self._uart_chips.get(port.name)
        for piece in _pieces(payload[2:]):
            due = self._wire(port, "out", len(piece))
            if chip is not None:
                self.clock.call_at(due, chip.receive, piece)

    def _spi_access(self, data: bytes, call: bool) -> bytes:
        chosen = [chip for gpio, chip in self._spi.items() if self._pins[gpio].drive() == 0]
        if len(chosen) > 1:
            raise OSError(errno.EIO, "two chips are selected on the SPI bus")
        received = chosen[0].transfer(data) if chosen else b"\xff" * len(data)
        return received if call else b""

    def _i2c_access(self, payload: bytes) -> bytes:
        command, address = payload[:1], payload[1]
        chip = self._i2c.get(address)
        if command == b"w":
            return bytes((chip is not None and bool(chip.write(payload[2:])),))
        if chip is None:
            raise OSError(errno.ENODEV, "nobody answers on the I2C bus")
        return bytes(chip.read(struct.unpack_from("<H", payload, 2)[0]))


def _pieces(data: bytes) -> list[bytes]:
    return [data[i : i + UART_PIECE] for i in range(0, len(data), UART_PIECE)]
