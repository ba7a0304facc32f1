"""The workshop's bench on the device: empty folders, then the injection on the console.

`pos provision` runs it over the raw REPL: `import bench`. Nothing else imports it.
"""

import sys

import board
from firmware.estate import provision

board.mount(format_all=True)
done = provision.run(
    sys.stdin.buffer, sys.stdout.buffer, board.Clock(), open_board=board.Board
)
sys.exit(0 if done else 1)
