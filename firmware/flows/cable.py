"""What a workstation says to a terminal in safe mode, over the console's cable.

Lines of ASCII both ways, so that any terminal program shows what goes on. Every answer begins
with `cable: `; CRC-32 and SHA-256 are in hexadecimal.

    status                       safe {"serial": …, "version": …, "image": …, "cause": …,
                                 "reason": a sentence}
    update SIZE SHA256           ready BLOCKS
    block NUMBER CRC32 BASE64    took NUMBER, or again NUMBER for one that was damaged
    after the last block         restarting

`refused SENTENCE` ends an update. Whoever holds the cable may give an image, as with esptool;
what the bootloader takes is its own matter: signed ones alone, where secure boot is on.
"""

import json
from binascii import a2b_base64, unhexlify

import aio

from firmware.estate.errors import ImageRefused
from firmware.estate.image import Incoming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.devices import Board

_SILENT_MS = const(30_000)
_TRIES = const(5)  # lines in a row that are no good


def answer(board: "Board", line: str, status: "dict[str, str]") -> bool:
    """Answer a line; True if it announces an update, which `update` then takes."""
    if line.startswith("update "):
        return True
    if line == "status":
        _say(board, "safe " + json.dumps(status))
    else:
        _say(board, "refused status, or update SIZE SHA256")
    return False


async def update(board: "Board", line: str, progress: "Callable[[int], object]") -> None:
    """Take the image that `line` announces and choose it for the next start, on trial.

    `progress` is awaited with the percentage. ImageRefused, which the workstation was told too.
    """
    try:
        image = _announced(board, line)
        _say(board, f"ready {image.blocks}")
        await _take(board, image, progress)
        image.finish()
        if not board.other_image():
            raise ImageRefused("the bootloader does not take this image")
    except ImageRefused as error:
        _say(board, f"refused {error}")
        raise
    _say(board, "restarting")


def _announced(board: "Board", line: str) -> Incoming:
    try:
        _, size, digest = line.split()
        return Incoming(board.other_slot(), int(size), unhexlify(digest))
    except ValueError as error:
        raise ImageRefused("say update SIZE SHA256") from error


async def _take(board: "Board", image: Incoming, progress: "Callable[[int], object]") -> None:
    bad, shown = 0, -1
    while image.taken < image.blocks:
        percent = 100 * image.taken // image.blocks
        if percent != shown:
            shown = percent
            await progress(percent)  # type: ignore[misc]
        try:
            (line,) = await aio.race(board.console.line(), timeout=_SILENT_MS)
        except aio.RaceTimeout:
            raise ImageRefused("nothing came for 30 seconds") from None
        if _took(image, line):
            bad = 0
            _say(board, f"took {image.taken - 1}")
            continue
        bad += 1
        if bad == _TRIES:
            raise ImageRefused("block after block is damaged: try another cable")
        _say(board, f"again {image.taken}")


def _took(image: Incoming, line: str) -> bool:
    try:
        word, number, checksum, data = line.split()
        return word == "block" and image.take(int(number), a2b_base64(data), int(checksum, 16))
    except ValueError:
        return False


def _say(board: "Board", text: str) -> None:
    board.console.say("cable: " + text)
