"""The workshop's bench on the device: empty folders, then the injection on the console.

`pos provision` runs it over the raw REPL: `import bench`. Nothing else imports it. A serial line
checks nothing itself: each answer gets one more name at its end, "sum", the first 8 bytes (in
hex) of the SHA-256 of all that stands before it.
"""

import sys
from binascii import hexlify
from hashlib import sha256

import board
from firmware.estate import provision


class Answers:
    """The console, with a check sum at the end of each line."""

    def write(self, line: bytes) -> None:
        """An answer and its line feed, in one go."""
        answer = line.rstrip()[:-1]  # without the bracket that ends it
        digest = hexlify(sha256(answer).digest()[:8])
        sys.stdout.buffer.write(answer + b', "sum": "' + digest + b'"}\n')


board.mount(format_all=True)
done = provision.run(sys.stdin.buffer, Answers(), board.Clock(), open_board=board.Board)
sys.exit(0 if done else 1)
