"""The test PKI: one CA, server certificates for both hosts, and the faulty ones tests need.

Made once into a folder (`build/pki`) and reused. Keys are RSA-2048, because an ECDSA signature's
length varies and with it the handshake's (SIMULATOR.md, "One link, one turn"). Everything is
valid 2020-2049, except the certificate whose purpose is to have expired.
"""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.acquirer.testbed import BACKUP_HOST, PRIMARY_HOST

FOLDER = Path(__file__).resolve().parents[2] / "build" / "pki"

_START = datetime(2020, 1, 1, tzinfo=UTC)
_END = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
_EXPIRED = datetime(2020, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True)
class _Kind:
    """What a server certificate says: its host name, its last day, and which CA signs it."""

    host: str
    until: datetime = _END
    authority: str = "ca"


KINDS = {
    "primary": _Kind(PRIMARY_HOST),
    "backup": _Kind(BACKUP_HOST),
    "expired": _Kind(PRIMARY_HOST, until=_EXPIRED),
    "wrong-host": _Kind("elsewhere.suanpan.test"),
    "untrusted": _Kind(PRIMARY_HOST, authority="stranger"),
}


class PkiError(Exception):
    """The test PKI cannot give what was asked; the message says what to do."""


def make(folder: Path = FOLDER) -> Path:
    """Make the PKI in `folder` unless it is already there; return the folder.

    The folder appears in one step, so two processes that start together cannot mix their keys.
    """
    if (folder / "ca.der").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".pki-", dir=folder.parent))
    try:
        _write_all(draft)
        os.rename(draft, folder)
    except OSError:
        if not (folder / "ca.der").exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def ca_der(folder: Path = FOLDER) -> Path:
    """The CA certificate that a terminal trusts, as a DER file (made when missing)."""
    return make(folder) / "ca.der"


def server_context(kind: str = "primary", folder: Path = FOLDER) -> ssl.SSLContext:
    """A TLS 1.3 server context with the certificate of that kind (a key of KINDS).

    Session tickets are off: mbedTLS reports a ticket as an error of the next read, and a session
    here is one connection that stays open (PROTOCOL.md, "Limits the link must keep").
    Raises PkiError for an unknown kind.
    """
    if kind not in KINDS:
        raise PkiError(f"no certificate of kind {kind!r}; there are {', '.join(KINDS)}")
    made = make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.load_cert_chain(made / f"{kind}.pem", made / f"{kind}.key")
    return context


def client_context(folder: Path = FOLDER) -> ssl.SSLContext:
    """A TLS 1.3 client context that trusts the test CA and checks the host's name."""
    context = ssl.create_default_context(cafile=str(make(folder) / "ca.pem"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _write_all(folder: Path) -> None:
    authorities = {name: _authority(name) for name in ("ca", "stranger")}
    certificate = authorities["ca"][1]
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "ca.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    for name, kind in KINDS.items():
        key = _key()
        certificate = _server(kind, key.public_key(), *authorities[kind.authority])
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        path = folder / f"{name}.key"
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _authority(name: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = _key()
    subject = _name(f"Suanpan test {name}")
    builder = _builder(subject, subject, key.public_key(), _END)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return key, builder.sign(key, hashes.SHA256())


def _server(
    kind: _Kind, key: rsa.RSAPublicKey, ca_key: rsa.RSAPrivateKey, ca: x509.Certificate
) -> x509.Certificate:
    builder = _builder(_name(kind.host), ca.subject, key, kind.until)
    names = x509.SubjectAlternativeName([x509.DNSName(kind.host)])
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(purpose, critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return builder.add_extension(issuer, critical=False).sign(ca_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, until: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(_START).not_valid_after(until)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    return builder.add_extension(identifier, critical=False)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


if __name__ == "__main__":
    make()
