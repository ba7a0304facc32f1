"""Runs on the virtual machine: both readers through the board's own pins and buses.

Prints one line a step: the step's name and what came of it.
"""

import asyncio

import board

SELECT = bytes.fromhex("00A4040008A00000033301010200")


async def tried(name: str, call: object) -> None:
    """Await one call and print its result, or the class of its error."""
    try:
        result = await call
    except Exception as error:  # noqa: BLE001 - the kind of the error is what is looked at
        result = type(error).__name__
    print(name, result.hex().upper() if isinstance(result, bytes) else result)


async def main() -> None:
    """An empty slot, a card in the slot, a card in the field, and both away."""
    device = board.Board()
    reader, nfc = device.reader, device.nfc
    await tried("present", reader.present())
    await tried("inserted", reader.wait_inserted())
    await tried("atr", reader.power_on())
    await tried("contact", reader.exchange(SELECT))
    await tried("off", reader.power_off())
    await tried("removed", reader.wait_removed())
    await tried("empty", asyncio.wait_for_ms(nfc.activate(), 1000))
    await tried("ats", nfc.activate())
    await tried("contactless", nfc.exchange(SELECT))
    await tried("long", nfc.exchange(bytes.fromhex("80EC0000FF") + bytes(255) + b"\x00"))
    await tried("gone", nfc.exchange(bytes.fromhex("80F0000000")))
    await tried("released", nfc.release())


asyncio.run(main())
