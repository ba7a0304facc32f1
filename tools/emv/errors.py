"""What can be wrong with what this package is given; `str(error)` is for the person in front."""

from __future__ import annotations


class EmvToolError(Exception):
    """Anything below; the command ends with exit code 2."""


class DecodeError(EmvToolError):
    """The bytes are not of the kind that they were said, or guessed, to be."""


class RecordingError(EmvToolError):
    """A recorded conversation cannot be read."""


class TerminalFileError(EmvToolError):
    """A file of terminal data cannot be read, or has something that nobody knows."""


class CaKeysError(EmvToolError):
    """A file of CA public keys cannot be read, or a key's check sum is wrong."""


class InterpreterError(EmvToolError):
    """The sim board's MicroPython is missing, or ended inside a session."""
