"""The test PKI: a client that checks certificates accepts the good ones and no others."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from tools.acquirer import pki, testbed


async def _handshake(kind: str, host: str) -> str | None:
    """The TLS version that client and server agree on."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=pki.server_context(kind))
    port = server.sockets[0].getsockname()[1]
    try:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=pki.client_context(), server_hostname=host
        )
        version = writer.get_extra_info("ssl_object").version()
        writer.close()
        return version
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    "kind, host", [("primary", testbed.PRIMARY_HOST), ("backup", testbed.BACKUP_HOST)]
)
async def test_both_hosts_are_trusted_under_their_own_name(kind: str, host: str) -> None:
    assert await _handshake(kind, host) == "TLSv1.3"


@pytest.mark.parametrize(
    "kind, complaint",
    [
        ("expired", "certificate has expired"),
        ("wrong-host", "Hostname mismatch"),
        ("backup", "Hostname mismatch"),
        ("untrusted", "unable to get local issuer certificate"),
    ],
)
async def test_a_faulty_certificate_is_refused(kind: str, complaint: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        await _handshake(kind, testbed.PRIMARY_HOST)


async def test_an_older_tls_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    older = pki.client_context()
    older.minimum_version = ssl.TLSVersion.TLSv1_2
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    monkeypatch.setattr(pki, "client_context", lambda: older)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await _handshake("primary", testbed.PRIMARY_HOST)


def test_the_pki_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    first = pki.ca_der(folder).read_bytes()
    assert pki.ca_der(folder).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]


def test_the_ca_is_valid_for_the_simulators_whole_calendar() -> None:
    ca = x509.load_der_x509_certificate(pki.ca_der().read_bytes())
    assert ca.not_valid_before_utc.year == 2020
    assert ca.not_valid_after_utc.isoformat() == "2049-12-31T23:59:59+00:00"


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(pki.PkiError, match="primary, backup, expired"):
        pki.server_context("nonsense")


def test_the_master_key_is_the_sum_of_its_components() -> None:
    first, second = testbed.TMK_COMPONENTS
    assert bytes(a ^ b for a, b in zip(first, second)) == testbed.TMK
    assert len(testbed.TMK_KCV) == 3
