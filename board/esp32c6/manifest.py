# What is frozen into this board's image: as on the reference board, with its own board.py.
# ruff: noqa: F821 - a manifest's functions are given to it
include("../terminal.py", opt=2, board="esp32c6")
module("_boot.py", base_path="..", opt=2)
