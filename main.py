"""Where a board meets the terminal."""

import board
from firmware import app

app.run(board.open())
