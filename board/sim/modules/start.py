"""The power-on sequence of the ESP32 port: boot.py, then main.py."""
# ruff: noqa: F401 - this module is a face

import boot
import main
