"""Power-on: why the device started. No application imports."""

import machine

CAUSES = {
    machine.PWRON_RESET: "power",
    machine.HARD_RESET: "pin",
    machine.WDT_RESET: "watchdog",
    machine.SOFT_RESET: "software",
    machine.DEEPSLEEP_RESET: "software",
}

print("suanpan: start by", CAUSES.get(machine.reset_cause(), "an unknown cause"))
