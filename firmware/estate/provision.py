"""The workshop's injection, device side: one JSON line in, one JSON line out.

`run` answers each line with `{"ok": true, …}` or `{"ok": false, "error": "NameOfTheError",
"message": "one sentence"}` and goes on. The steps, in this order (the middle ones in any):

    {"step": "begin"}                  wipes keys, working keys, journal; makes the storage keys
    {"step": "component", "length": 16}    then the component's hex digits alone on the next line:
                                           read into one bytearray, never into a str. Twice; each
                                           answer carries "kcv" (6 hex digits) once pinmac has one
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
    {"step": "finish"}                     seals the keys; {"ok": true, "kcv": {"0": "…", "4": …}};
                                           `run` returns

The end of the input ends `run` too; a device that was not finished says NotProvisioned at boot.
"""

import json
import os
from binascii import unhexlify

import pinmac

from firmware.care.errors import CareError
from firmware.care.operators import Operators
from firmware.estate.errors import EstateError, ProvisionError
from firmware.estate.parameters import Parameters
from firmware.ledger import sealed
from firmware.ledger.errors import LedgerError
from firmware.ledger.ledger import Ledger
from firmware.ledger.vault import MASTER, STORE, STORE_MAC, FileCorrupt, Vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from firmware.devices import Clock

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
) -> bool:
    """Serve one device. True when it was finished. The three folders are mounted and empty or
    old."""
    bench = _Bench(source, clock, journal, keys, data)
    while True:
        line = _read_line(source)
        if line is None:
            return False
        try:
            answer = bench.do(json.loads(line))
            answer["ok"] = True
        except _REFUSED as error:
            answer = {"ok": False, "error": type(error).__name__, "message": str(error)}
        sink.write(json.dumps(answer).encode() + b"\n")
        if hasattr(sink, "flush"):
            sink.flush()
        if bench.finished:
            return True


class _Bench:
    """One device on the bench. A step is the method of its name."""

    def __init__(
        self, source: "BinaryIO", clock: "Clock", journal: str, keys: str, data: str
    ) -> None:
        self._source = source
        self._clock = clock
        self._journal = journal
        self._keys = keys
        self._data = data
        self._vault = Vault()
        self.finished = False

    def do(self, step: dict) -> dict:
        """One step; the answer's content."""
        steps = {
            "begin": self._begin, "component": self._component, "parameters": self._parameters,
            "ca": self._ca, "card-key": self._card_key, "operators": self._operators,
            "journal": self._first_batch, "finish": self._finish,
        }  # fmt: skip
        name = step.get("step") if isinstance(step, dict) else None
        if name not in steps:
            raise ProvisionError(f"there is no step {name}")
        return steps[name](step) or {}

    def _begin(self, step: dict) -> None:
        """Keys first: without them what the old files say cannot be read any more."""
        pinmac.zeroize()
        for folder in (self._keys, self._journal, self._data):
            for name in os.listdir(folder):
                os.remove(folder + "/" + name)
        pinmac.generate(STORE, "D0", pinmac.AES)
        pinmac.generate(STORE_MAC, "M6", pinmac.AES)

    def _component(self, step: dict) -> dict:
        length = step["length"]
        if length not in (16, 24):
            raise ProvisionError("a component of the master key has 16 or 24 bytes")
        part = _read_component(self._source, length)
        kcv = pinmac.load_component(MASTER, "K0", pinmac.TDES, part)
        return {"kcv": kcv.hex().upper()} if kcv else {}

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

    def _finish(self, step: dict) -> dict:
        """Everything is there and readable, then the keys go to flash: that makes a device."""
        shop = Parameters.load(self._vault, self._data, self._keys)
        shop.ca()
        shop.card_keys()
        Operators(self._data, self._vault.mac, pinmac.random).load()
        Ledger(self._journal, self._vault, self._clock)
        kcvs = {str(slot): pinmac.kcv(slot).hex().upper() for slot in sealed.DEVICE_SLOTS}
        sealed.save(self._keys + "/" + sealed.DEVICE_FILE, sealed.DEVICE_SLOTS)
        self.finished = True
        return {"kcv": kcvs}


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
