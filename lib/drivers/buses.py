"""What the drivers ask of their buses and pins. For readers and the type checker only.

The methods are those of `machine` on the ESP32 port that a driver really calls, so a test may give
it anything that has them. Drivers import this under `if TYPE_CHECKING:`.
"""

from collections.abc import Callable
from typing import Any, Protocol, overload

from typing_extensions import Buffer


class Uart(Protocol):
    """machine.UART that can be polled and does not wait when it is read."""

    def any(self) -> int: ...
    def readinto(self, __buffer: Buffer) -> "int | None": ...
    def write(self, __data: Buffer) -> "int | None": ...
    def txdone(self) -> bool: ...


class Spi(Protocol):
    """machine.SPI as a controller, most significant bit first."""

    def readinto(self, __buffer: Buffer) -> "int | None": ...
    def write(self, __data: Buffer) -> "int | None": ...


class I2c(Protocol):
    """machine.I2C as a controller; OSError when the addressed chip does not answer."""

    def writeto(self, __address: int, __data: Buffer) -> int: ...
    def readfrom_into(self, __address: int, __buffer: Buffer) -> None: ...


class Output(Protocol):
    """machine.Pin as an output: call it with a level."""

    def __call__(self, __level: int) -> None: ...


class Pin(Protocol):
    """machine.Pin with its modes, pulls and interrupts."""

    @property
    def IN(self) -> int: ...
    @property
    def OPEN_DRAIN(self) -> int: ...
    @property
    def PULL_UP(self) -> int: ...
    @property
    def IRQ_FALLING(self) -> int: ...
    def init(self, mode: int = ..., pull: int = ..., *, value: Any = ...) -> None: ...
    @overload
    def value(self) -> int: ...
    @overload
    def value(self, __level: int) -> None: ...
    def irq(self, handler: "Callable[[Any], None]", trigger: int) -> Any: ...


class Pwm(Protocol):
    """machine.PWM."""

    def freq(self, __hertz: int) -> None: ...
    def duty_u16(self, __duty: int) -> None: ...
