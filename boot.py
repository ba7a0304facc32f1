"""Power-on: why the device started, for the console. No application imports."""

import machine

print("suanpan: reset cause", machine.reset_cause())
