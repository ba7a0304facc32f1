"""The virtual board's `machine`: what the ESP32 port has and the board uses, and nothing else.

Without a virtual board (a plain start of the interpreter) it is the unix port's own.
"""
# ruff: noqa: F401, F403 - this module is a face

import simclock

if simclock.link() < 0:
    from umachine import *
else:
    from virtual import system as _system
    from virtual.buses import I2C, SPI
    from virtual.pins import PWM, Pin, bitstream
    from virtual.system import RTC, WDT, Timer, reset
    from virtual.uart import UART

    PWRON_RESET = 1
    HARD_RESET = 2
    WDT_RESET = 3
    DEEPSLEEP_RESET = 4
    SOFT_RESET = 5

    def reset_cause():
        """Why the chip started: PWRON_RESET, HARD_RESET, WDT_RESET or SOFT_RESET."""
        return _system.RESET_CAUSE

    def unique_id():
        """Six bytes, the chip's own."""
        return _system.UNIQUE_ID

    def freq(*_hz):
        """The processor's clock, 240 MHz; it cannot be changed here."""
        if _hz and _hz[0] != 240000000:
            raise ValueError("frequency must be 240MHz")
        return None if _hz else 240000000

    def disable_irq():
        """Interrupt handlers run between accesses only, so there is nothing to hold back."""
        return True

    def enable_irq(_state=True):
        """The other half of `disable_irq`."""
