"""A terminal in safe mode, from the workstation's end of the cable: its state, and a new image.

The words are those of firmware/flows/cable.py. `Update` knows them and nothing of a port; `pos
rescue` says them over a serial device. Native USB has no baud rate, so a raw tty is enough.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import select
import termios
import tty
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

BLOCK = 4096
PREFIX = "cable: "
ANSWER_S = 20.0
IMAGE_MAGIC = 0xE9


class RescueError(Exception):
    """The terminal did not take the image, or is not there; the message is for the person."""


class Update:
    """The lines that give a terminal an image, and what its answers mean."""

    def __init__(self, image: bytes):
        self._image = image
        self._blocks = [image[at : at + BLOCK] for at in range(0, len(image), BLOCK)]
        self.taken = 0
        self.finished = False

    @property
    def blocks(self) -> int:
        """How many blocks the image has."""
        return len(self._blocks)

    def first(self) -> str:
        """The line that announces it."""
        return f"update {len(self._image)} {hashlib.sha256(self._image).hexdigest()}"

    def next(self, answer: str) -> str | None:
        """What is said after an answer (without its prefix): a line, or None for nothing.

        RescueError when the terminal refuses.
        """
        word, _, rest = answer.partition(" ")
        if word == "refused":
            raise RescueError(f"the terminal refused: {rest}")
        if word == "restarting":
            self.finished = True
            return None
        if word == "took":
            self.taken = int(rest) + 1
        elif word == "again":
            self.taken = int(rest)
        elif word != "ready":
            return None
        if self.taken == self.blocks:
            return None
        data = self._blocks[self.taken]
        text = base64.b64encode(data).decode()
        return f"block {self.taken} {zlib.crc32(data):08x} {text}"


class Cable:
    """A serial device, one line at a time."""

    def __init__(self, port: Path):
        try:
            self._file = os.open(port, os.O_RDWR | os.O_NOCTTY)
        except OSError as error:
            raise RescueError(f"{port} cannot be opened: {error.strerror}") from error
        try:
            tty.setraw(self._file)
        except termios.error as error:
            self.close()
            raise RescueError(f"{port} is no serial port") from error
        self._rest = b""

    def say(self, line: str) -> None:
        """One line to the terminal."""
        data = line.encode() + b"\n"
        while data:
            data = data[os.write(self._file, data) :]

    def answers(self) -> Iterator[str]:
        """Its answers, without their prefix; RescueError when none comes in time."""
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if newline:
                self._rest = rest
                text = line.decode("utf-8", "replace").strip()
                if text.startswith(PREFIX):
                    yield text.removeprefix(PREFIX)
                continue
            if not select.select([self._file], [], [], ANSWER_S)[0]:
                raise RescueError("the terminal says nothing: is it in safe mode (安全模式)?")
            try:
                more = os.read(self._file, BLOCK)
            except OSError:
                more = b""
            if not more:
                raise RescueError("the cable was pulled, or the terminal lost its power")
            self._rest += more

    def close(self) -> None:
        """Let the port go."""
        os.close(self._file)


def read_image(path: Path) -> bytes:
    """An application image. RescueError when the file is none."""
    try:
        image = path.read_bytes()
    except OSError as error:
        raise RescueError(f"{path} cannot be read: {error.strerror}") from error
    if not image or image[0] != IMAGE_MAGIC:
        raise RescueError(f"{path} is no application image: it does not begin with 0xE9")
    return image


def status(cable: Cable) -> dict[str, str]:
    """What happened, in the terminal's words."""
    cable.say("status")
    for answer in cable.answers():
        word, _, rest = answer.partition(" ")
        if word == "safe":
            said: dict[str, str] = json.loads(rest)
            return said
    raise AssertionError("answers() ends only by raising")


def update(cable: Cable, image: bytes) -> None:
    """Give it the image, with a progress bar; returns when the terminal restarts."""
    job = Update(image)
    with Progress() as progress:
        bar = progress.add_task("image", total=job.blocks)
        cable.say(job.first())
        for answer in cable.answers():
            line = job.next(answer)
            progress.update(bar, completed=job.taken)
            if job.finished:
                return
            if line is not None:
                cable.say(line)


def command(
    port: Annotated[Path, typer.Argument(help="the terminal's port, such as /dev/ttyACM0")],
    image: Annotated[Path | None, typer.Argument(help="micropython.bin to give it")] = None,
) -> None:
    """Ask a terminal in safe mode what happened, and give it a new image."""
    try:
        content = read_image(image) if image is not None else None
        cable = Cable(port)
        try:
            for name, value in status(cable).items():
                print(f"  {name:<8} {value}")
            if content is not None:
                update(cable, content)
                print("  the terminal restarts with the new image, on trial")
        finally:
            cable.close()
    except RescueError as error:
        raise SystemExit(f"rescue: {error}") from error
