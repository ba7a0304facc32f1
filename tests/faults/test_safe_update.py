"""The cable of safe mode: a new image is taken whole or not at all, whatever the power does.

The workstation's words are those of tools/rescue.py, which is `pos rescue`.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from whole import LOGIN, Shop

from tools import rescue
from tools.sim import clock
from tools.sim.machine import CHIP_ID, Machine
from tools.sim.process import INTERPRETER

OLD, NEW = "app0", "app1"
SAFE = "安全模式"
# Three blocks, the last one short: no firmware, for the machine runs what `images` says.
IMAGE = b"\xe9" + bytes(range(256)) * 32
MOST_OPERATIONS = 80
SAFE_MODE = """
import board
from firmware.flows import safe
safe.run(board.Board(), safe.LOOP, 4)
"""
GOOD = """
import time
from espressif import Chip
chip = Chip()
chip.started(True)
print("up in", chip.image())
while True:
    chip.feed_watchdog()
    time.sleep(1)
"""
# The terminal's end on the desk: its cable, and a slot in memory.
BENCH = """
import asyncio, sys
from drivers.console import Console
from firmware.flows import cable
class Slot:
    def __init__(self):
        self.data = bytearray(b"\\xff" * 8 * 4096)
    def ioctl(self, operation, argument):
        if operation == 6:
            self.data[argument * 4096 : argument * 4096 + 4096] = b"\\xff" * 4096
        return 8
    def writeblocks(self, block, data):
        self.data[block * 4096 : block * 4096 + len(data)] = data
    def readblocks(self, block, data):
        data[:] = self.data[block * 4096 : block * 4096 + len(data)]
class Board:
    console = Console(sys.stdin.buffer, print)
    slot = Slot()
    def other_slot(self):
        return self.slot
    def other_image(self):
        return self.slot.data[0] == 0xE9
async def progress(percent):
    pass
async def main():
    board = Board()
    while True:
        line = await board.console.line()
        if cable.answer(board, line, {"serial": "7C"}):
            try:
                return await cable.update(board, line, progress)
            except cable.ImageRefused:
                pass
asyncio.run(main())
"""


class Workstation:
    """Types on a machine's console and reads what the firmware says there."""

    def __init__(self, board: Machine):
        self.board = board
        self._log = board.folder / "console.log"
        self._at = self._log.stat().st_size if self._log.exists() else 0

    async def answer(self, seconds: float = 60) -> str:
        """The next answer; '' when the power went first."""
        found: list[str] = []

        def came() -> bool:
            with self._log.open("rb") as log:
                log.seek(self._at)
                line = log.readline()
            if line.endswith(b"\n"):
                self._at += len(line)
                if line.startswith(rescue.PREFIX.encode()):
                    found.append(line.decode().strip().removeprefix(rescue.PREFIX))
            return bool(found) or not self.board.powered

        await self.board.until(came, seconds)
        return found[0] if found else ""

    async def say(self, line: str) -> str:
        """One line, and the answer to it."""
        self.board.type(line)
        return await self.answer()

    async def update(self, image: bytes = IMAGE) -> bool:
        """Give it an image; False when the power went."""
        job = rescue.Update(image)
        said = await self.say(job.first())
        while said:
            line = job.next(said)
            if job.finished:
                return True
            said = await (self.answer() if line is None else self.say(line))
        return False


def image(folder: Path, main: str) -> str:
    """The path of an image whose main.py is this."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.py").write_text(main)
    return f"{folder}:.frozen"


async def in_safe_mode(folder: Path) -> tuple[Machine, Workstation]:
    """A board without parts, in safe mode, with a workstation at its cable."""
    board = Machine(
        folder / "board",
        path=image(folder / OLD, SAFE_MODE),
        images={NEW: image(folder / NEW, GOOD)},
        console=True,
    )
    await board.power_on()
    return board, Workstation(board)


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    clock.run(story())


def comes_up(board: Machine, slot: str) -> Callable[[], bool]:
    return lambda: not board.powered or f"up in {slot}" in board.output()


def test_safe_mode_takes_a_new_image(tmp_path: Path) -> None:
    """The whole terminal: it tells what happened, shows how far it is, and trades again."""

    async def story() -> None:
        terminal = Shop(tmp_path / "shop", path=image(tmp_path / "bad", SAFE_MODE),
                        images={NEW: ".frozen"}, console=True)  # fmt: skip
        sim = terminal.sim
        await sim.start()
        assert await terminal.see(SAFE)
        workstation = Workstation(sim)
        word, _, rest = (await workstation.say("status")).partition(" ")
        said = json.loads(rest)
        assert word == "safe"
        assert (said["serial"], said["image"]) == (CHIP_ID.hex().upper(), OLD)
        assert said["reason"] == "4 starts in a row did not finish"
        job = rescue.Update(IMAGE)
        line = job.next(await workstation.say(job.first()))
        assert line is not None
        assert await terminal.see("正在更新", "0 %")
        line = job.next(await workstation.say(line))
        assert line is not None
        assert await terminal.see("33 %")
        line = job.next(await workstation.say(line))
        assert line is not None
        assert job.next(await workstation.say(line)) is None
        assert job.next(await workstation.answer()) is None and job.finished
        assert await terminal.see(LOGIN)
        assert sim.slots.running == NEW and sim.slots.state(NEW) == "valid"
        assert sim.flash.image(NEW)[: len(IMAGE)] == IMAGE
        await terminal.close()

    run(story)


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.long)])
def test_the_power_cut_in_an_update_in_safe_mode(stride: int, tmp_path: Path) -> None:
    """After a cut it is in safe mode again, and the next try succeeds; or all of the image was
    written and chosen, and the new one runs. Every seventh operation, every one in the nightly."""
    reached = 0
    for operation in range(1, MOST_OPERATIONS, stride):
        folder = tmp_path / str(operation)

        async def story(folder: Path = folder, operation: int = operation) -> None:
            nonlocal reached
            board, workstation = await in_safe_mode(folder)
            await workstation.say("status")
            board.cut_at_write(operation)
            await workstation.update()
            await board.until(comes_up(board, NEW))
            if board.powered:
                await board.stop()
                return
            reached = operation
            there = board.flash.image(NEW)[: len(IMAGE)]
            assert there == IMAGE or board.slots.chosen() == OLD
            await board.power_on()
            if board.slots.running == OLD:
                assert await workstation.update()
            await board.until(comes_up(board, NEW))
            assert board.slots.state(NEW) == "valid"
            await board.stop()

        run(story)
        if reached != operation:
            break
    assert 45 <= reached < MOST_OPERATIONS - 7


def test_what_is_no_image_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async def story() -> None:
        board, workstation = await in_safe_mode(tmp_path)
        size = board.flash.partition(NEW).size
        good = rescue.Update(IMAGE)
        for line in ("update", "update 1", "update x y", f"update 10 {'0' * 63}",
                     f"update 0 {'0' * 64}", f"update {size + 1} {'0' * 64}"):  # fmt: skip
            assert (await workstation.say(line)).startswith("refused "), line
            await board.advance(11)  # the screen says so for a while
        assert await workstation.say("hello") == "refused status, or update SIZE SHA256"
        assert (await workstation.say("x" * 9000)).startswith("refused ")

        # A block that was damaged comes again; five in a row end it.
        block = good.next(await workstation.say(good.first()))
        assert block is not None
        assert await workstation.say(block.replace("A", "B")) == "again 0"
        assert await workstation.say(block) == "took 0"
        assert await workstation.say(block) == "took 0", "its answer was lost"
        for _ in range(4):
            assert await workstation.say("block 7 0 AAAA") == "again 1"
        assert "another cable" in await workstation.say("block")
        await board.advance(11)

        # A workstation that falls silent, and one that announced another image.
        await workstation.say(good.first())
        assert "30 seconds" in await workstation.answer()
        await board.advance(11)
        other = rescue.Update(IMAGE)
        answer = await workstation.say(other.first().replace(other.first()[-64:], "0" * 64))
        with pytest.raises(rescue.RescueError, match="not what was announced"):
            while True:
                line = other.next(answer)
                answer = await (workstation.answer() if line is None else workstation.say(line))
        assert board.flash.image(NEW)[0] == 0xFF and board.slots.chosen() == OLD

        # What the bootloader would not start is not chosen.
        with pytest.raises(rescue.RescueError, match="bootloader"):
            await board.advance(11)
            await workstation.update(b"\x00" + IMAGE)
        assert board.slots.chosen() == OLD
        await board.stop()

    run(story)


def test_pos_rescue_over_a_real_terminal(tmp_path: Path) -> None:
    """`pos rescue` on a pty, at whose other end the firmware's own cable runs."""
    (tmp_path / "image.bin").write_bytes(IMAGE)
    master, slave = pty.openpty()
    port = os.ttyname(slave)
    terminal = subprocess.Popen([INTERPRETER, "-c", BENCH], stdin=master, stdout=master)
    try:
        done = subprocess.run(
            [Path(sys.executable).with_name("pos"), "rescue", port, str(tmp_path / "image.bin")],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "7C" in done.stdout and "on trial" in done.stdout
        assert terminal.wait(10) == 0
    finally:
        terminal.kill()
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("port", "content", "said"),
    [
        ("/dev/nowhere", IMAGE, "cannot be opened"),
        ("/dev/null", b"\x7fELF", "no application image"),
        ("/dev/null", None, "cannot be read"),
    ],
)
def test_pos_rescue_says_what_is_wrong(
    port: str, content: bytes | None, said: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "image.bin").write_bytes(content)
    with pytest.raises(SystemExit, match=said):
        rescue.command(Path(port), tmp_path / "image.bin")
