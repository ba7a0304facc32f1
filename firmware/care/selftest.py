"""The self-test: security module, keys, devices, storage. What fails leaves the rest usable.

`essential` says whether the terminal may trade without it.
"""

import os

import pinmac
from errors import DeviceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firmware.devices import Board

_PATTERN = b"suanpan self-test\n"
_LEAST_FREE_BYTES = const(32 * 1024)


class SelfTestFailed(Exception):
    """A part did not pass; the sentence says which and how."""


class Result:
    """One line of the result page. `name` is the id of its words; error None when it is good."""

    def __init__(self, name: str, essential: bool, error: "Exception | None") -> None:
        self.name = name
        self.essential = essential
        self.error = error


class SelfTest:
    """The tests of one board. key_slots: the pinmac slots that must hold complete keys."""

    def __init__(self, board: "Board", key_slots: "tuple[int, ...]") -> None:
        self._board = board
        self._key_slots = key_slots

    async def run(self) -> "list[Result]":
        """All of it, in the order of the page; every part has its own time limit."""
        tests: tuple[tuple[str, bool, Callable[[], Awaitable[object]]], ...] = (
            ("test-crypto", True, self._crypto),
            ("test-keys", True, self._keys),
            ("test-storage", True, self._storage),
            ("test-display", False, self._board.display.show),
            ("test-printer", False, self._board.printer.check),
            ("test-reader", False, self._board.reader.present),
            ("test-nfc", False, self._board.nfc.release),
        )
        results = []
        for name, essential, test in tests:
            error = None
            try:
                await test()
            except (DeviceError, SelfTestFailed, pinmac.Error, OSError) as caught:
                error = caught
            results.append(Result(name, essential, error))
        return results

    async def _crypto(self) -> None:
        pinmac.self_test()

    async def _keys(self) -> None:
        for slot in self._key_slots:
            info = pinmac.info(slot)
            if info is None or not info["complete"]:
                raise SelfTestFailed(f"key slot {slot} is empty or incomplete")

    async def _storage(self) -> None:
        for folder in ("/data", "/journal"):
            block, _, _, free = os.statvfs(folder)[:4]
            if block * free < _LEAST_FREE_BYTES:
                raise SelfTestFailed(f"{folder} is nearly full")
        path = "/data/selftest"
        with open(path, "wb") as file:
            file.write(_PATTERN)
        with open(path, "rb") as file:
            same = file.read() == _PATTERN
        os.remove(path)
        if not same:
            raise SelfTestFailed("/data does not give back what was written")


def usable(results: "list[Result]") -> bool:
    """Nothing essential failed."""
    return not any(result.essential and result.error for result in results)
