"""The virtual board: pins, buses, flash, resets and faults as a firmware program sees them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.tools.machines import Bench, Echo, Inverter, run, to_its_end
from tools.sim.clock import ClockStopped
from tools.sim.machine import FirmwareCrashed, SimulationError


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def output_of(bench: Bench, program: str) -> str:
    """What a program prints on a board without chips."""

    async def story() -> str:
        machine = bench.machine(program)
        try:
            return await to_its_end(machine)
        finally:
            await machine.stop()

    return run(story)


def test_a_chip_answers_on_spi_and_its_line_interrupts(bench: Bench) -> None:
    async def story() -> str:
        machine = bench.machine(
            "import time, machine\n"
            "from machine import Pin, SPI\n"
            "hits = []\n"
            "irq = Pin('NFC_IRQ', Pin.IN, Pin.PULL_UP)\n"
            "irq.irq(lambda pin: hits.append(pin.value()), Pin.IRQ_FALLING)\n"
            "cs = Pin('NFC_CS', Pin.OUT, value=1)\n"
            "spi = SPI(1, 8000000, sck='SPI_SCK', mosi='SPI_MOSI', miso='SPI_MISO')\n"
            "answer = bytearray(3)\n"
            "cs(0)\n"
            "spi.write_readinto(b'\\x01\\x02\\x03', answer)\n"
            "cs(1)\n"
            "nobody = spi.read(2)\n"
            "time.sleep_ms(5)\n"
            "print(bytes(answer), nobody, hits)\n"
        )
        machine.board.attach_spi("chip", "NFC_CS", Inverter(), {}, {"irq": "NFC_IRQ"})
        try:
            return await to_its_end(machine)
        finally:
            await machine.stop()

    assert run(story) == r"b'\xfe\xfd\xfc' b'\xff\xff' [0]"


def test_a_serial_chip_hears_and_answers_at_the_speed_of_the_wire(bench: Bench) -> None:
    async def story() -> tuple[str, list[int]]:
        machine = bench.machine(
            "import asyncio, time\n"
            "from machine import UART\n"
            "uart = UART(1, 9600, tx='PRINTER_TX', rx='PRINTER_RX')\n"
            "async def main():\n"
            "    stream = asyncio.StreamReader(uart)\n"
            "    begun = time.ticks_ms()\n"
            "    stream.write(b'x' * 95 + b'\\n')\n"
            "    await stream.drain()\n"
            "    line = await stream.readline()\n"
            "    print(len(line), time.ticks_ms() - begun)\n"
            "asyncio.run(main())\n"
        )
        heard: list[int] = []
        machine.events.subscribe(lambda e: heard.append(e["t"]) if e["kind"] == "uart" else None)
        machine.board.attach_uart("PRINTER", Echo())
        try:
            return await to_its_end(machine), heard
        finally:
            await machine.stop()

    output, heard = run(story)
    assert output == "96 200"  # 96 bytes of 10 bits at 9600 baud are 100 ms, there and back
    assert len(heard) == 1 and 100_000 <= heard[0] < 101_000


def test_a_full_receive_buffer_loses_bytes(bench: Bench) -> None:
    async def story() -> str:
        machine = bench.machine(
            "import time\n"
            "from machine import UART\n"
            "uart = UART(1, 115200, tx='PRINTER_TX', rx='PRINTER_RX', rxbuf=256)\n"
            "uart.write(b'z' * 400)\n"
            "time.sleep_ms(200)\n"
            "print(uart.any(), uart.txdone())\n"
        )
        machine.board.attach_uart("PRINTER", Echo())
        try:
            return await to_its_end(machine)
        finally:
            await machine.stop()

    assert run(story) == "256 True"


def test_the_virtual_modules_are_strict(bench: Bench) -> None:
    program = (
        "import machine, time\n"
        "from machine import Pin, UART, SPI\n"
        "def refused(call):\n"
        "    try:\n"
        "        call()\n"
        "    except (AttributeError, TypeError, ValueError) as error:\n"
        "        return type(error).__name__\n"
        "Pin('LCD_CS', Pin.OUT)\n"
        "print(refused(lambda: Pin('LCD_CS')),\n"
        "      refused(lambda: Pin(10)),\n"
        "      refused(lambda: Pin(19)),\n"
        "      refused(lambda: Pin('NO_SUCH_PIN')),\n"
        "      refused(lambda: machine.mem32),\n"
        "      refused(lambda: time.clock),\n"
        "      refused(lambda: Pin('LCD_DC', colour=1)),\n"
        "      refused(lambda: Pin('NFC_CS').value(x=1)),\n"
        "      refused(lambda: SPI(3)),\n"
        "      refused(lambda: UART(1, 9600)))\n"
    )
    assert output_of(bench, program) == (
        "ValueError ValueError ValueError ValueError AttributeError AttributeError TypeError "
        "TypeError ValueError ValueError"
    )


def test_flash_programs_clear_bits_and_erases_set_them(bench: Bench) -> None:
    program = (
        "import esp32\n"
        "part = esp32.Partition.find(esp32.Partition.TYPE_DATA, label='data')[0]\n"
        "part.writeblocks(0, b'\\xf0' * 16, 0)\n"
        "part.writeblocks(0, b'\\x3f' * 16, 0)\n"
        "read = bytearray(2)\n"
        "part.readblocks(0, read, 14)\n"
        "both = bytes(read)\n"
        "part.ioctl(6, 0)\n"
        "part.readblocks(0, read)\n"
        "print(both, bytes(read), part.ioctl(4, 0), part.ioctl(5, 0), part.info()[4])\n"
    )
    assert output_of(bench, program) == r"b'00' b'\xff\xff' 256 4096 data"


FILES = (
    "import esp32, vfs, machine\n"
    "part = esp32.Partition.find(esp32.Partition.TYPE_DATA, label='data')[0]\n"
    "try:\n"
    "    system = vfs.VfsLfs2(part, mtime=False)\n"
    "except OSError:\n"
    "    vfs.VfsLfs2.mkfs(part)\n"
    "    system = vfs.VfsLfs2(part, mtime=False)\n"
    "vfs.mount(system, '/data')\n"
    "try:\n"
    "    with open('/data/count') as file:\n"
    "        count = int(file.read())\n"
    "except OSError:\n"
    "    count = 0\n"
    "print('count', count, machine.reset_cause())\n"
    "while True:\n"
    "    count += 1\n"
    "    with open('/data/count', 'w') as file:\n"
    "        file.write(str(count))\n"
    "    if count == 50:\n"
    "        machine.reset()\n"
)


def test_the_flash_outlives_power_cuts_at_a_write_and_resets(bench: Bench) -> None:
    async def story() -> list[str]:
        machine = bench.machine(FILES)
        seen = []
        machine.cut_at_write(40)
        await machine.power_on()
        await machine.off(60)
        seen.append(machine.output())
        machine.cut_at_write(400)
        await machine.power_on()
        await machine.off(60)
        seen.append((machine.folder / "console.log").read_text())
        await machine.stop()
        return seen

    first, everything = run(story)
    counts = [line.split() for line in everything.strip().split("\n")]
    assert first == "count 0 1"
    assert counts[0] == ["count", "0", "1"]
    assert counts[1][2] == "1" and 0 < int(counts[1][1]) < 40  # what was written before the cut
    assert counts[2] == ["count", "50", "5"]  # machine.reset() came first, then the second cut


def test_a_starved_watchdog_resets_the_chip(bench: Bench) -> None:
    async def story() -> str:
        machine = bench.machine(
            "import machine, time\n"
            "if machine.reset_cause() == machine.WDT_RESET:\n"
            "    print('bitten', time.ticks_ms() >= 3500)\n"
            "    raise SystemExit\n"
            "dog = machine.WDT(timeout=2000)\n"
            "time.sleep_ms(1500)\n"
            "dog.feed()\n"
            "time.sleep(60)\n"
            "print('never')\n"
        )
        try:
            return await to_its_end(machine)
        finally:
            await machine.stop()

    assert run(story) == "bitten True"


def test_a_crash_is_shown_with_its_traceback(bench: Bench) -> None:
    async def story() -> None:
        machine = bench.machine("def fall():\n    raise ValueError('over the edge')\nfall()\n")
        await machine.power_on()
        try:
            await machine.advance(1)
        finally:
            await machine.stop()

    with pytest.raises(FirmwareCrashed, match=r"(?s)line 2, in fall.*ValueError: over the edge"):
        run(story)


def test_firmware_that_keeps_its_turn_is_reported_as_hung(bench: Bench) -> None:
    async def story() -> None:
        program = "import time\nprint('spinning')\nwhile True:\n    pass\n"
        machine = bench.machine(program, turn_limit_s=0.3)
        await machine.power_on()
        try:
            await machine.advance(1)
        finally:
            await machine.stop()

    with pytest.raises(SimulationError, match=r"(?s)kept its turn for 0.3 s.*spinning"):
        run(story)


def test_nobody_with_a_deadline_is_an_error_that_names_who_waits(bench: Bench) -> None:
    async def story() -> None:
        machine = bench.machine(
            "import asyncio\n"
            "from machine import UART\n"
            "uart = UART(1, 9600, tx='PRINTER_TX', rx='PRINTER_RX')\n"
            "async def main():\n"
            "    await asyncio.StreamReader(uart).read(1)\n"
            "asyncio.run(main())\n"
        )
        await machine.power_on()
        await asyncio.Event().wait()

    with pytest.raises(ClockStopped, match=r"the firmware \(poll of 1 streams\) and the tasks"):
        run(story)
