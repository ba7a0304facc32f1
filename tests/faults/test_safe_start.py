"""Starts that fail: the image on trial, the loop, the safe mode, and the power cut at every step.

The boot.py and the `Chip` of the board run as they are; what stands for an image is a folder that
comes before the frozen modules. The bootloader is tools/sim/ota.py, whose otadata is read back by
esp-idf-defs, which carries Espressif's definitions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from esp_idf_defs.otadata import OtaDataSelectEntry, OtaImageState

sys.path.insert(0, str(Path(__file__).parent))

from whole import IDLE, LOGIN, PASSWORD, Shop

from tools.sim import clock
from tools.sim.flash import BLOCK
from tools.sim.machine import CHIP_ID, Machine
from tools.sim.ota import ImageInvalid

OLD, NEW = "app0", "app1"
SAFE = "安全模式"
BOARD = Path(__file__).parents[2] / "board" / "esp32s3" / "board.py"
MOST_OPERATIONS = 60
# Small images: what their main.py does after the real boot.py.
UPDATES = """
import esp32, machine
other = esp32.Partition(esp32.Partition.RUNNING).get_next_update()
head = bytearray(1)
other.readblocks(0, head, 0)
if head != b"\\xe9":
    other.writeblocks(0, b"\\xe9" + bytes(4095))
other.set_boot()
machine.reset()
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
RESETS = "    import machine\n    machine.reset()\n"
LOOPS = "import machine\nmachine.reset()\n"
HANGS = "import time\nwhile True:\n    time.sleep(1)\n"
RUNS_IN_OLD = GOOD.replace("chip = Chip()", "chip = Chip()\nassert chip.image() == 'app0'")


def image(folder: Path, main: str) -> str:
    """The path of an image whose main.py is this."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.py").write_text(main)
    return f"{folder}:.frozen"


def machine(folder: Path, old: str, new: str) -> Machine:
    """A board without parts, with two small images."""
    return Machine(
        folder / "board",
        path=image(folder / OLD, old),
        images={NEW: image(folder / NEW, new)},
    )


def told(board: Machine, text: str) -> Callable[[], bool]:
    """The console of this run says so, or the power went."""
    return lambda: not board.powered or text in board.output()


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    clock.run(story())


def offer_new(board: Machine) -> None:
    """What an update leaves: an image in the other slot, chosen for the next start."""
    board.flash.program(board.flash.partition(NEW).offset, b"\xe9")
    board.slots.choose(NEW)


def entries(board: Machine) -> list[OtaDataSelectEntry | None]:
    """Both sectors of otadata as Espressif's definitions read them."""
    data = board.flash.image("otadata")
    return [OtaDataSelectEntry.from_bytes(data[at : at + 32]) for at in (0, BLOCK)]


def test_a_new_image_is_kept_after_its_self_test_alone(tmp_path: Path) -> None:
    async def story() -> None:
        board = machine(tmp_path, UPDATES, GOOD)
        await board.power_on()
        await board.until(told(board, "up in app1"))
        await board.power_off()
        first, second = entries(board)
        assert first is not None and second is not None
        assert (first.seq, first.ota_state) == (1, OtaImageState.VALID)
        assert (second.seq, second.ota_state) == (2, OtaImageState.VALID)
        assert OtaDataSelectEntry.select(first, second)[1] == "b"
        await board.power_on()
        await board.until(told(board, "up in app1"))
        await board.stop()

    run(story)


@pytest.mark.parametrize("fails", [LOOPS, HANGS])
def test_a_new_image_that_does_not_come_up_is_rolled_back(fails: str, tmp_path: Path) -> None:
    """A reset at once, or the watchdog's after 30 s: either way the old image runs again."""

    async def story() -> None:
        board = machine(tmp_path, GOOD, fails)
        await board.power_on()
        await board.until(told(board, "up in app0"))
        await board.power_off()
        offer_new(board)
        await board.power_on()
        await board.until(told(board, "up in app0"), 90)
        assert board.slots.state(NEW) == "aborted"
        assert entries(board)[1].ota_state == OtaImageState.ABORTED  # type: ignore[union-attr]
        await board.stop()

    run(story)


def test_a_power_cut_on_trial_rolls_back(tmp_path: Path) -> None:
    async def story() -> None:
        board = machine(tmp_path, GOOD, HANGS)
        offer_new(board)
        await board.power_on()
        await board.advance(5)
        assert board.slots.running == NEW
        await board.power_off()
        await board.power_on()
        await board.until(told(board, "up in app0"))
        await board.stop()

    run(story)


def test_the_power_cut_at_every_step_of_an_update(tmp_path: Path) -> None:
    """From the first boot to the confirmed new image: after any cut the board comes up again, in
    the new image if it was confirmed, and no start is taken for a loop."""
    reached = 0
    for operation in range(1, MOST_OPERATIONS):
        folder = tmp_path / str(operation)

        async def story(folder: Path = folder, operation: int = operation) -> None:
            nonlocal reached
            board = machine(folder, UPDATES, GOOD)
            board.cut_at_write(operation)
            await board.power_on()
            await board.until(told(board, "up in app1"))
            if board.powered:
                await board.stop()
                return
            reached = operation
            confirmed = board.slots.state(NEW) == "valid"
            await board.power_on()
            assert not confirmed or board.slots.running == NEW
            await board.until(told(board, "up in app1"))
            assert board.slots.state(NEW) == "valid"
            await board.stop()

        run(story)
        if reached != operation:
            break
    assert 20 <= reached < MOST_OPERATIONS - 1


@pytest.mark.parametrize("fails", [LOOPS, HANGS])
def test_the_power_cut_at_every_step_of_a_roll_back(fails: str, tmp_path: Path) -> None:
    reached = 0
    for operation in range(1, MOST_OPERATIONS):

        async def story(operation: int = operation) -> None:
            nonlocal reached
            board = machine(tmp_path / str(operation), GOOD, fails)
            await board.power_on()
            await board.until(told(board, "up in app0"))
            await board.power_off()
            offer_new(board)
            board.cut_at_write(operation)
            await board.power_on()
            await board.until(told(board, "up in app0"), 90)
            if not board.powered:
                reached = operation
                await board.power_on()
                await board.until(told(board, "up in app0"), 90)
            assert board.slots.state(NEW) in ("aborted", "")
            await board.stop()

        run(story)
        if reached != operation:
            break
    assert 5 <= reached < MOST_OPERATIONS - 1


def test_a_slot_without_an_image_cannot_be_chosen(tmp_path: Path) -> None:
    async def story() -> None:
        board = machine(tmp_path, GOOD, GOOD)
        with pytest.raises(ImageInvalid):
            board.slots.choose(NEW)
        assert board.slots.chosen() == OLD
        await board.stop()

    run(story)


def test_an_image_that_the_bootloader_fell_back_on_confirms_nothing(tmp_path: Path) -> None:
    """The chosen slot's image is damaged: ESP-IDF would confirm that one, whichever runs."""

    async def story() -> None:
        board = machine(tmp_path, GOOD, GOOD)
        await board.power_on()
        await board.until(told(board, "up in app0"))
        await board.power_off()
        offer_new(board)
        board.flash.erase(board.flash.partition(NEW).offset, BLOCK)
        await board.power_on()
        await board.until(told(board, "up in app0"))
        assert board.slots.state(NEW) == "pending"
        await board.power_off()
        await board.power_on()
        await board.until(told(board, "up in app0"))
        assert board.slots.state(NEW) == "aborted"
        await board.stop()

    run(story)


def test_the_last_image_left_speaks_for_itself(tmp_path: Path) -> None:
    """Both records are of trials that were given up: nothing to confirm, and no loop for it."""

    async def story() -> None:
        board = machine(tmp_path, GOOD, GOOD)
        offer_new(board)
        board.slots.start()
        board.slots.choose(OLD)  # before the trial was over
        board.slots.start()
        board.slots.start()
        assert board.slots.state(OLD) == board.slots.state(NEW) == "aborted"
        await board.power_on()
        await board.until(told(board, "up in app0"))
        assert board.slots.state(OLD) == "valid"
        await board.stop()

    run(story)


# ---- the whole terminal


def test_the_terminal_confirms_its_image_after_the_self_test(tmp_path: Path) -> None:
    async def story() -> None:
        terminal = Shop(tmp_path)
        sim = terminal.sim
        offer_new(sim)
        await sim.start()
        assert sim.slots.running == NEW
        while not terminal.shows(LOGIN):
            assert sim.slots.state(NEW) == "pending" or terminal.shows("自检通过")
            await sim.advance(0.2)
        assert sim.slots.state(NEW) == "valid"
        await terminal.close()

    run(story)


def test_an_image_that_cannot_read_the_keys_is_not_kept(tmp_path: Path) -> None:
    """It says so on its screen, which is no loop; at its restart the old image runs."""

    async def story() -> None:
        terminal = Shop(tmp_path)
        sim = terminal.sim
        keys = sim.flash.partition("keys")
        content = sim.flash.image("keys")
        sim.flash.erase(keys.offset, keys.size)
        offer_new(sim)
        await sim.start()
        assert await terminal.see("不能交易")
        assert sim.slots.state(NEW) == "pending"
        sim.flash.erase(keys.offset, keys.size)
        sim.flash.program(keys.offset, content)
        await terminal.key("ENTER")
        assert await terminal.see(LOGIN)
        assert sim.slots.running == OLD and sim.slots.state(NEW) == "aborted"
        await terminal.close()

    run(story)


def test_a_loop_ends_in_safe_mode_which_prints_and_tries_again(tmp_path: Path) -> None:
    """The board's `open` resets the chip, until the file with that fault is taken away."""

    async def story() -> None:
        fault = tmp_path / "fault" / "board.py"
        fault.parent.mkdir()
        fault.write_text(BOARD.read_text().replace("    mount()\n", RESETS))
        terminal = Shop(tmp_path / "shop", path=f"{fault.parent}:.frozen")
        sim = terminal.sim
        await sim.start()
        assert await terminal.see(SAFE)
        assert terminal.shows("连续 4 次启动未完成")
        await terminal.key("MENU")
        await sim.advance(8)
        paper = "".join(sim.printer.text)
        assert SAFE in paper and CHIP_ID.hex().upper() in paper and OLD in paper
        await terminal.key("FUNC")
        assert await terminal.see("没有其他版本")
        await terminal.key("ENTER ENTER")  # the restart is tried, and it loops again
        await sim.advance(1)
        assert await terminal.see(SAFE)
        fault.unlink()
        await terminal.key("ENTER")
        assert await terminal.see(LOGIN)
        await terminal.key("0 1 ENTER")
        assert await terminal.see(PASSWORD)
        await terminal.key("0 0 0 1 ENTER")
        assert await terminal.see(IDLE)
        await terminal.close()

    run(story)


def test_a_folder_that_cannot_be_read_ends_in_safe_mode_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        terminal = Shop(tmp_path)
        sim = terminal.sim
        part = sim.flash.partition("journal")
        for block in (0, 1):  # the superblocks keep their mark, and nothing else
            head, _ = sim.flash.read(part.offset + block * BLOCK, 16)
            sim.flash.erase(part.offset + block * BLOCK, BLOCK)
            sim.flash.program(part.offset + block * BLOCK, head)
        await sim.start()
        assert await terminal.see(SAFE)
        assert terminal.shows("/journal")
        await terminal.close()

    run(story)


def test_safe_mode_starts_the_other_image_when_told(tmp_path: Path) -> None:
    async def story() -> None:
        terminal = Shop(tmp_path / "shop", path=image(tmp_path / "bad", LOOPS.replace(
            "machine.reset()", "import board\nboard.starts().too_many or machine.reset()\n"
            "from firmware.flows import safe\nsafe.run(board.Board(), safe.LOOP, 4)")),
            images={NEW: ".frozen"})  # fmt: skip
        sim = terminal.sim
        sim.flash.program(sim.flash.partition(NEW).offset, b"\xe9")
        await sim.start()
        assert await terminal.see(SAFE)
        await terminal.key("FUNC")
        assert await terminal.see(LOGIN)
        assert sim.slots.running == NEW and sim.slots.state(NEW) == "valid"
        await terminal.close()

    run(story)
