"""What makes this terminal this shop's: numbers, name, hosts, time limits, Wi-Fi, language.

One JSON file, MAC'd under the storage key, replaced in one rename; the acquirer's CA certificate
and the card schemes' CA public keys lie beside it, MAC'd too.
"""

import json

from emv.authority import CaPublicKey
from emv.errors import CaKeyError

from firmware.estate.errors import ParametersCorrupt
from firmware.ledger.vault import FileCorrupt, FileMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.ledger.vault import Vault

_FILE = "parameters.json"
_CA_FILE = "ca.der"
_CARD_KEYS_FILE = "card-keys.json"

# name: what it is if the workshop says nothing; None: the workshop has to say it.
FIELDS = {
    "serial": None,  # the device's own
    "terminal": None,  # F41, 8 characters
    "merchant": None,  # F42, 15 characters
    "name": None,  # of the shop, any script
    "name_en": "",
    "tpdu": None,  # 10 digits
    "header": "603210320072",  # 12 digits
    "hosts": None,  # [[name, port], …]: the primary first; the name is checked in the certificate
    "ssid": "",
    "password": "",
    "language": "zh",  # or 'en'
    "connect_ms": 10_000,  # connecting and handshake together
    "connect_tries": 3,
    "reply_ms": 60_000,
    "reversal_tries": 3,
}


class Parameters:
    """Every name of FIELDS as an attribute; `keys_folder`; `ca()`; `card_keys()`."""

    serial: str
    terminal: str
    merchant: str
    name: str
    name_en: str
    tpdu: str
    header: str
    hosts: "list[tuple[str, int]]"
    ssid: str
    password: str
    language: str
    connect_ms: int
    connect_tries: int
    reply_ms: int
    reversal_tries: int

    def __init__(self, values: dict, vault: "Vault", data: str, keys: str) -> None:
        self._vault = vault
        self._folder = data
        self.keys_folder = keys
        for name, value in checked(values).items():
            setattr(self, name, value)

    @classmethod
    def load(cls, vault: "Vault", data: str = "/data", keys: str = "/keys") -> "Parameters":
        """From the folder `data`. ParametersCorrupt."""
        try:
            values = json.loads(vault.load(data + "/" + _FILE))
        except (FileCorrupt, ValueError) as error:
            raise ParametersCorrupt(f"the parameters cannot be used: {error}") from error
        return cls(values, vault, data, keys)

    def save(self) -> None:
        """Make the attributes durable, whole or not at all. ParametersCorrupt if one is no use."""
        values = checked({name: getattr(self, name) for name in FIELDS})
        self._vault.save(self._folder + "/" + _FILE, json.dumps(values).encode())

    def ca(self) -> bytes:
        """The acquirer's CA certificate, DER. ParametersCorrupt."""
        try:
            return self._vault.load(self._folder + "/" + _CA_FILE)
        except FileCorrupt as error:
            raise ParametersCorrupt(f"the host's CA cannot be used: {error}") from error

    def save_ca(self, der: bytes) -> None:
        """Replace the CA certificate."""
        self._vault.save(self._folder + "/" + _CA_FILE, der)

    def card_keys(self) -> "list[CaPublicKey]":
        """The card schemes' CA public keys; none where none was loaded. ParametersCorrupt.

        Each check sum is verified again, beside the file's MAC.
        """
        try:
            return [CaPublicKey.from_text(entry) for entry in self._card_key_entries()]
        except CaKeyError as error:
            raise ParametersCorrupt(f"the card keys cannot be used: {error}") from error

    def add_card_key(self, entry: "dict[str, str]") -> None:
        """Add a CA public key, or replace the one of its RID and index.

        entry: rid, index, modulus, exponent, expiry, sha1 (emv.authority.CaPublicKey.from_text).
        CaKeyError names a key that is refused; then nothing has changed.
        """
        CaPublicKey.from_text(entry)
        own = (entry["rid"], entry["index"])
        kept = [each for each in self._card_key_entries() if (each["rid"], each["index"]) != own]
        kept.append(entry)
        self._vault.save(self._folder + "/" + _CARD_KEYS_FILE, json.dumps(kept).encode())

    def _card_key_entries(self) -> "list[dict[str, str]]":
        try:
            entries: list[dict[str, str]] = json.loads(
                self._vault.load(self._folder + "/" + _CARD_KEYS_FILE)
            )
        except FileMissing:
            return []
        except (FileCorrupt, ValueError) as error:
            raise ParametersCorrupt(f"the card keys cannot be used: {error}") from error
        return entries


def checked(values: dict) -> dict:
    """Every parameter, defaults filled in. ParametersCorrupt names the first that is no use."""
    for name in values:
        if name not in FIELDS:
            raise ParametersCorrupt(f"there is no parameter {name}")
    whole = {}
    for name, default in FIELDS.items():
        value = values.get(name, default)
        if value is None:
            raise ParametersCorrupt(f"the parameter {name} is missing")
        if not _fits(name, value, default):
            raise ParametersCorrupt(f"the parameter {name} cannot be {value!r}")
        whole[name] = value
    return whole


def _fits(name: str, value: object, default: object) -> bool:
    if name == "hosts":
        return isinstance(value, list) and bool(value) and all(_is_host(host) for host in value)
    if isinstance(default, int):
        return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 600_000
    if not isinstance(value, str):
        return False
    if name in ("terminal", "merchant"):
        return len(value) == (8 if name == "terminal" else 15)
    if name in ("tpdu", "header"):
        return len(value) == (10 if name == "tpdu" else 12) and value.isdigit()
    return value in ("zh", "en") if name == "language" else True


def _is_host(host: object) -> bool:
    if not isinstance(host, list) or len(host) != 2:
        return False
    name, port = host
    return isinstance(name, str) and bool(name) and isinstance(port, int) and 0 < port < 65_536
