"""The workshop's injection, device side: one JSON line in, one JSON line out.

`run` answers each line with `{"ok": true, …}` or `{"ok": false, "error": "NameOfTheError",
"message": "one sentence"}` and goes on. Each answer carries "heard", the first 8 bytes of the
line's SHA-256 in hex, since a serial line checks nothing itself.
The steps, in this order (the middle ones in any):

    {"step": "identity"}               {"serial": the chip's own number, "version": the image's}
    {"step": "begin"}                  wipes keys, working keys, journal; makes the storage keys
    {"step": "component", "length": 16}    then the component's hex digits alone on the next line:
                                           read into one bytearray, never into a str. Twice; each
                                           answer carries "kcv" (6 hex digits) once pinmac has one
    {"step": "component", "length": 16, "protects": "AES"}  the same for the key (AES or TDES) that
                                           protects a key block; 32 bytes too
    {"step": "block", "block": "D0112…"}   the master key as a TR-31 block under that key, which
                                           is wiped whatever happens; the answer carries "kcv"
    {"step": "parameters", "values": {…}}  the names of parameters.FIELDS, e.g. {"serial":
                                           "SPT0000000001", "terminal": "SP000001", "merchant":
                                           "898610154110001", "name": "测试商户有限公司", "tpdu":
                                           "6000030000", "hosts": [["acquirer.suanpan.test", 8583],
                                           ["acquirer2.suanpan.test", 8583]], "ssid":
                                           "suanpan-test", "password": "suanpan-test", "language":
                                           "zh"}
    {"step": "ca", "der": "hex"}           the acquirer's CA certificate, DER
    {"step": "card-key", "key": {…}}       one CA public key of a card scheme, as often as wanted:
                                           "rid", "index", "modulus", "exponent", "sha1" in hex,
                                           "expiry" YYMMDD; refused unless its check sum fits
    {"step": "operators", "values": [{"number": "01", "password": "0001", "change": false}, …]}
    {"step": "journal", "batch": 1, "trace": 0}    first batch, trace high-water mark
    {"step": "selftest"}               {"results": [{"name", "essential", "error" or null}, …]}
    {"step": "finish"}                 seals the keys, forgets them, opens what lies in flash
                                       again; {"kcv": {"0": "…", "4": …}}; `run` returns
    {"step": "abandon"}                wipes all; `run` returns: the device holds no keys

The end of the input ends `run` too; a device that was not finished says NotProvisioned at boot.
"""

import asyncio
import json
import os
from binascii import hexlify, unhexlify
from hashlib import sha256

import pinmac

from firmware.care.errors import CareError
from firmware.care.operators import Operators
from firmware.care.selftest import SelfTest
from firmware.estate.errors import EstateError, ProvisionError
from firmware.estate.parameters import Parameters
from firmware.ledger import sealed
from firmware.ledger.errors import LedgerError
from firmware.ledger.ledger import Ledger
from firmware.ledger.vault import MASTER, STORE, STORE_MAC, FileCorrupt, Vault
from firmware.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from firmware.devices import Board, Clock

_PROTECTION = const(6)  # pinmac slot of the key that protects a key block, during the injection
_LONGEST_LINE = const(16_384)
_REFUSED = (
    CareError, EstateError, FileCorrupt, LedgerError, OSError, ValueError, KeyError, TypeError,
    pinmac.IntegrityError, pinmac.KeyUsageError, pinmac.StateError,
)  # fmt: skip


def run(
    source: "BinaryIO",
    sink: "BinaryIO",
    clock: "Clock",
    journal: str = "/journal",
    keys: str = "/keys",
    data: str = "/data",
    open_board: "Callable[[], Board] | None" = None,
) -> bool:
    """Serve one device. True when it was finished. The three folders are mounted and empty or
    old. open_board: gives the devices, when a step needs them."""
    bench = _Bench(source, clock, journal, keys, data, open_board)
    while True:
        line = _read_line(source)
        if line is None:
            return False
        try:
            answer = bench.do(json.loads(line))
            answer["ok"] = True
        except _REFUSED as error:
            answer = {"ok": False, "error": type(error).__name__, "message": str(error)}
        answer["heard"] = hexlify(sha256(line.strip()).digest()[:8]).decode()
        sink.write(json.dumps(answer).encode() + b"\n")
        if hasattr(sink, "flush"):
            sink.flush()
        if bench.ended:
            return bench.finished


class _Bench:
    """One device on the bench. A step is the method of its name."""

    def __init__(
        self,
        source: "BinaryIO",
        clock: "Clock",
        journal: str,
        keys: str,
        data: str,
        open_board: "Callable[[], Board] | None",
    ) -> None:
        self._source = source
        self._clock = clock
        self._journal = journal
        self._keys = keys
        self._data = data
        self._vault = Vault()
        self._open_board = open_board
        self._board: Board | None = None
        self.ended = False
        self.finished = False

    def do(self, step: dict) -> dict:
        """One step; the answer's content."""
        steps = {
            "identity": self._identity, "begin": self._begin, "component": self._component,
            "block": self._block, "parameters": self._parameters, "ca": self._ca,
            "card-key": self._card_key, "operators": self._operators,
            "journal": self._first_batch, "selftest": self._selftest, "finish": self._finish,
            "abandon": self._abandon,
        }  # fmt: skip
        name = step.get("step") if isinstance(step, dict) else None
        if name not in steps:
            raise ProvisionError(f"there is no step {name}")
        return steps[name](step) or {}

    def _devices(self) -> "Board":
        if self._board is None:
            if self._open_board is None:
                raise ProvisionError("this bench has no devices")
            self._board = self._open_board()
        return self._board

    def _identity(self, step: dict) -> dict:
        return {"serial": self._devices().serial, "version": VERSION}

    def _begin(self, step: dict) -> None:
        self._wipe()
        pinmac.generate(STORE, "D0", pinmac.AES)
        pinmac.generate(STORE_MAC, "M6", pinmac.AES)

    def _wipe(self) -> None:
        """Keys first: without them what the old files say cannot be read any more."""
        pinmac.zeroize()
        for folder in (self._keys, self._journal, self._data):
            for name in os.listdir(folder):
                os.remove(folder + "/" + name)

    def _component(self, step: dict) -> dict:
        length, protects = step["length"], step.get("protects")
        if length not in ((16, 24, 32) if protects else (16, 24)):
            raise ProvisionError(f"a component does not have {length} bytes")
        part = _read_component(self._source, length)
        if protects:
            algorithm = pinmac.AES if protects == "AES" else pinmac.TDES
            kcv = pinmac.load_component(_PROTECTION, "K1", algorithm, part)
        else:
            kcv = pinmac.load_component(MASTER, "K0", pinmac.TDES, part)
        return {"kcv": kcv.hex().upper()} if kcv else {}

    def _block(self, step: dict) -> dict:
        """Import the master key; what the block holds beside is refused and wiped."""
        try:
            kcv = pinmac.load_block(MASTER, step["block"].encode(), _PROTECTION)
        finally:
            pinmac.erase(_PROTECTION)
        info = pinmac.info(MASTER)
        if info is None or info["usage"] != "K0" or info["alg"] != pinmac.TDES:
            pinmac.erase(MASTER)
            raise ProvisionError("the block does not hold a TDES key-encrypting key (usage K0)")
        return {"kcv": kcv.hex().upper()}

    def _parameters(self, step: dict) -> None:
        Parameters(step["values"], self._vault, self._data, self._keys).save()

    def _ca(self, step: dict) -> None:
        Parameters.load(self._vault, self._data, self._keys).save_ca(unhexlify(step["der"]))

    def _card_key(self, step: dict) -> None:
        Parameters.load(self._vault, self._data, self._keys).add_card_key(step["key"])

    def _operators(self, step: dict) -> None:
        Operators(self._data, self._vault.mac, pinmac.random).provision(step["values"])

    def _first_batch(self, step: dict) -> None:
        Ledger.create(self._journal, self._vault, self._clock, step["batch"], step["trace"])

    def _selftest(self, step: dict) -> dict:
        test = SelfTest(self._devices(), sealed.DEVICE_SLOTS)
        return {
            "results": [
                {
                    "name": result.name,
                    "essential": result.essential,
                    "error": None if result.error is None else str(result.error),
                }
                for result in asyncio.run(test.run())
            ]
        }

    def _finish(self, step: dict) -> dict:
        """Everything is there and readable, then the keys go to flash: that makes a device."""
        shop = Parameters.load(self._vault, self._data, self._keys)
        shop.ca()
        shop.card_keys()
        Operators(self._data, self._vault.mac, pinmac.random).load()
        Ledger(self._journal, self._vault, self._clock)
        kcvs = _kcvs()
        path = self._keys + "/" + sealed.DEVICE_FILE
        sealed.save(path, sealed.DEVICE_SLOTS)
        for slot in sealed.DEVICE_SLOTS:
            pinmac.erase(slot)
        sealed.load(path, sealed.DEVICE_SLOTS)
        if _kcvs() != kcvs:
            self._wipe()
            raise ProvisionError("the keys in flash are not those that were sealed")
        self.finished = self.ended = True
        return {"kcv": kcvs}

    def _abandon(self, step: dict) -> None:
        self._wipe()
        self.ended = True


def _kcvs() -> "dict[str, str]":
    """Slot → check value, 6 hex digits, of the device's own keys."""
    return {str(slot): pinmac.kcv(slot).hex().upper() for slot in sealed.DEVICE_SLOTS}


def _read_line(source: "BinaryIO") -> "bytes | None":
    """The next line that is not empty, or None at the end of the input."""
    while True:
        line = source.readline(_LONGEST_LINE)
        if not line:
            return None
        if line.strip():
            return line


def _read_component(source: "BinaryIO", length: int) -> bytearray:
    """Hex digits of one line into one bytearray. ProvisionError, the bytearray wiped."""
    part = bytearray(length)
    digit = bytearray(1)
    count = 0
    good = True
    while source.readinto(digit) == 1 and digit[0] != 0x0A:
        if digit[0] in b"\r ":
            continue
        value = b"0123456789ABCDEF".find(digit.upper())
        if value < 0 or count >= 2 * length:
            good = False
            continue
        part[count // 2] = part[count // 2] << 4 & 0xF0 | value
        count += 1
    digit[0] = 0
    if not good or count != 2 * length:
        for i in range(length):
            part[i] = 0
        raise ProvisionError(f"a component is {2 * length} hex digits on one line")
    return part
