"""What the ESP32 port runs before boot.py. Upstream's mounts a `vfs` partition; this board has
none: `board.py` mounts its own partitions, so here only the collector is told to run in time."""

import gc

gc.threshold((gc.mem_free() + gc.mem_alloc()) // 4)
