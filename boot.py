"""Power-on, before anything else: the watchdog, the image that runs, and the count of starts.

The bootloader chose the image. A new one runs on trial: it is kept once the terminal passed its
self-test (`Board.started`), and rolled back at the next reset otherwise, which the watchdog brings
about if nothing else does. A start that reaches no screen is counted; main.py looks at the count.
No application imports.
"""

import esp32
import machine
from starts import Starts

_WATCHDOG_MS = 30_000  # `Board.feed_watchdog` goes on with it

machine.WDT(timeout=_WATCHDOG_MS)
starts = Starts(esp32.Partition.find(esp32.Partition.TYPE_DATA, label="starts")[0])
starts.begin()
running = esp32.Partition(esp32.Partition.RUNNING)  # type: ignore[arg-type]
print("suanpan: reset cause", machine.reset_cause(), "image", running.info()[4])
if starts.unfinished > 1:
    print("suanpan: starts before this one that did not end:", starts.unfinished - 1)
