"""The workshop's bench on the sim board: empty folders, then the injection on standard input."""

import sys

import board
from firmware.estate import provision

board.mount(format_all=True)
sys.exit(0 if provision.run(sys.stdin.buffer, sys.stdout.buffer, board.Clock()) else 1)
