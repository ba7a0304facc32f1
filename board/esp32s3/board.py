"""The reference board: ESP32-S3, keypad, display, printer, readers, lamps, buzzer."""


def open() -> object:
    """Mount the folders and hand over the devices."""
