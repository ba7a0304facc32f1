"""The bare board itself: what it is, its memory, its clock, and that its libraries can be had."""

import asyncio
import gc
import sys
import time

import cpu

HEAP_BYTES = 256 * 1024


def test_this_is_a_bare_32_bit_machine():
    assert sys.platform == "qemu" and sys.maxsize == 0x7FFFFFFF


def test_the_heap_is_small():
    gc.collect()
    assert HEAP_BYTES * 9 // 10 < gc.mem_free() + gc.mem_alloc() < HEAP_BYTES


def test_a_sleep_takes_its_time_and_no_more():
    begun = time.ticks_us()
    time.sleep_ms(250)
    assert 250_000 <= time.ticks_diff(time.ticks_us(), begun) < 251_000


async def test_ten_minutes_of_waiting_pass_at_once():
    begun = time.ticks_ms()
    await asyncio.sleep(600)
    assert 600_000 <= time.ticks_diff(time.ticks_ms(), begun) < 600_100


def test_an_instruction_takes_a_nanosecond():
    """mtime counts at 10 MHz: a hundred instructions a tick."""
    time.ticks_cpu(), cpu.instructions()
    ticks, count = time.ticks_cpu(), cpu.instructions()
    for _ in range(1000):
        pass
    ticks, count = time.ticks_cpu() - ticks, cpu.instructions() - count
    assert count > 10_000
    assert abs(ticks * 100 - count) < 2_000, (ticks, count)


def test_libraries_and_firmware_are_in_the_image():
    for name in (
        "aio",
        "emv",
        "emv.session",
        "errors",
        "escpos",
        "gb18030",
        "iso8583",
        "pinmac",
        "tlv",
        "firmware.ledger.ledger",
        "firmware.flows.idle",
    ):
        __import__(name)
