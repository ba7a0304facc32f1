"""The thousand's other half: faults while devices get their keys, numbers and papers.

Each batch ends at least 64 tries (the quick one 24) of `pos provision`, eight devices at a time,
with the real mpremote and the firmware's own injection. After every round three things must agree:
what the station says, what the record says, and what each device's flash gives back. Faults that
a try may outlive (one byte lost or flipped) come on top and are not counted.
"""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from bench_console import Device, Fault
from bench_shop import COMPONENTS, KCV, TYPED, command, flashed, plugged, provision, provisioned
from bench_shop import shop as shop_file
from bench_shop import written

from tools.workshop import papers
from tools.workshop.custody import MasterKey
from tools.workshop.provisioner import Injection
from tools.workshop.records import Attempt, Records, read
from tools.workshop.station import Outcome, program
from tools.workshop.wire import Wear

BATCHES, FAULTS_A_BATCH, PORTS = 8, 64, 8
LINES = 12  # identity, begin, 2 × 2 for the key, 4 papers, self-test, finish
BYTES = {"to chip": 2400, "to host": 1100}  # that go over the wire for one device, about
LIMIT_S = 4.0
UNSURE = "it may hold its keys"
QUICK = 99, 24  # seed, faults: what the quick suite does of it

# The firmware says other check values than its flash gives: what a broken module would.
LIAR = "provision._kcvs = lambda: {'0': '000000', '4': '000000', '5': '000000'}"
# One bit of what is written to the keys' partition is stuck, from the nth write on.
WEAK = """
writes = 0
own_write = board.Flash.writeblocks
def write(flash, block, buffer, offset=0):
    global writes
    if len(flash._data) == 8 * 1024:
        writes += 1
        if writes > {n}:
            buffer = bytearray(buffer)
            buffer[{at} % len(buffer)] ^= 1
    own_write(flash, block, buffer, offset)
board.Flash.writeblocks = write
"""
LINE = ("bad-cable", "no-console", "device-stopped", "key-refused", "wrong-kcv", "no-terminal")
KEYS = ("key-not-kept", "papers-refused", "device-stopped", "self-test-failed")

pytestmark = pytest.mark.timeout(900)


@dataclass
class Case:
    """A device's fault and what may become of its try; mac: of a twin, or of a stranger."""

    name: str
    fault: Fault
    results: tuple[str, ...]
    mac: str = ""
