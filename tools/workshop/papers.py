"""The shop's file: parameters, CA certificate, operators, first batch, as YAML.

    parameters:                # the firmware's own names; serial and terminal are given by `pos`
      merchant: "898610154110001"
      name: 测试商户有限公司
      tpdu: "6000030000"
      hosts: [[acquirer.suanpan.test, 8583]]
    ca: ca.pem                 # PEM or DER, beside this file
    operators:
      - {number: "99", password: "12345678", change: true}
    batch: 1
    trace: 0
    card_keys:                 # of the card schemes, public; none: no offline data authentication
      - {rid: A000000333, index: "F0", modulus: …, exponent: "03", sha1: …, expiry: "351231"}

What a parameter may be the device knows; here only the file's form is checked.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tools.workshop.faults import PAPERS_MISSING, DeviceFault
from tools.workshop.injection import Papers

NAMES = {"parameters", "ca", "operators", "batch", "trace", "card_keys"}
GIVEN_BY_US = ("serial", "terminal")
SECRET_NAMES = ("password",)


@dataclass(frozen=True)
class Shop:
    """What all devices of this shop have in common."""

    values: Mapping[str, Any]
    ca: bytes
    operators: Sequence[Mapping[str, Any]]
    batch: int
    trace: int
    card_keys: Sequence[Mapping[str, Any]] = ()

    def papers(self, serial: str, terminal: str) -> Papers:
        """Those of one device."""
        numbers = {"serial": serial, "terminal": terminal}
        values = {**self.values, **numbers}
        return Papers(
            values, self.ca, self.operators, self.batch, self.trace, self.card_keys
        )

    def facts(self) -> dict[str, str]:
        """For the record: a hash of the parameters without passwords, and the certificate's."""
        public = {name: v for name, v in self.values.items() if name not in SECRET_NAMES}
        text = json.dumps(public, sort_keys=True, ensure_ascii=False)
        return {
            "parameters": hashlib.sha256(text.encode()).hexdigest(),
            "ca": hashlib.sha256(self.ca).hexdigest(),
        }


def load(path: Path) -> Shop:
    """Read the shop's file. DeviceFault PAPERS_MISSING says what is wrong with it."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DeviceFault(PAPERS_MISSING, f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeviceFault(PAPERS_MISSING, f"{path}: not YAML: {error}") from error
    try:
        return _shop(path, tree)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DeviceFault(PAPERS_MISSING, f"{path}: {type(error).__name__}: {error}") from error


def _shop(path: Path, tree: dict[str, Any]) -> Shop:
    if unknown := set(tree) - NAMES:
        raise ValueError(f"there is nothing named {sorted(unknown)[0]}")
    values = dict(tree["parameters"])
    for name in GIVEN_BY_US:
        if name in values:
            raise ValueError(f"{name} is a device's own: it does not stand in the shop's file")
    operators = [dict(operator) for operator in tree["operators"]]
    ca = _certificate(path.parent / tree["ca"])
    card_keys = [dict(key) for key in tree.get("card_keys", ())]
    batch, trace = int(tree.get("batch", 1)), int(tree.get("trace", 0))
    return Shop(values, ca, operators, batch, trace, card_keys)


def _certificate(path: Path) -> bytes:
    """A CA certificate as DER, good today."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DeviceFault(PAPERS_MISSING, f"{path}: {error.strerror}") from error
    load = (
        x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
    )
    certificate = load(data)
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    if not basic.value.ca:
        raise ValueError(f"{path}: not the certificate of a CA")
    if certificate.not_valid_after_utc < datetime.now(UTC):
        raise ValueError(f"{path}: the certificate is over")
    return certificate.public_bytes(Encoding.DER)
