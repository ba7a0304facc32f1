# What is frozen into the terminal's image: as on the sim board, optimised.
# ruff: noqa: F821 - a manifest's functions are given to it
include("../terminal.py", opt=2, board="esp32s3")
module("_boot.py", base_path="..", opt=2)
