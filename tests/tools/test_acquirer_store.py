"""The host's memory: migrations, two hosts on one database, SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from acquirer_host import balance, open_host, till
from acquirer_terminal import Card, encode
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from tools.acquirer import ledger, store
from tools.acquirer.errors import StoreError


def _program(name: str) -> str | None:
    """A PostgreSQL program: on the path, or where Debian keeps it."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(debian[-1]) if debian else None)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, on a socket in a temporary folder."""
    initdb, control = _program("initdb"), _program("pg_ctl")
    if initdb is None or control is None:
        pytest.fail("PostgreSQL's server is not installed (Debian: postgresql)")
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    as_user = {"user": user} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="acquirer-pg-"))
    try:
        if as_user:
            shutil.chown(folder, user)
        data, log = str(folder / "data"), str(folder / "log")
        run = {
            "check": True,
            "timeout": 60,
            "stdout": subprocess.DEVNULL,
            "cwd": folder,
            **as_user,
        }
        subprocess.run([initdb, "-D", data, "-U", "suanpan", "-A", "trust", "--no-sync"], **run)
        options = f"-c listen_addresses='' -k {folder}"
        started = [control, "-D", data, "-l", log, "-o", options, "-w", "-t", "30", "start"]
        subprocess.run(started, **run)
        try:
            yield f"postgresql://suanpan@/postgres?host={folder}"
        finally:
            subprocess.run([control, "-D", data, "-m", "immediate", "-w", "stop"], **run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shared.db"
    return request.getfixturevalue("postgresql")


async def test_two_hosts_share_a_ledger(url: str, tmp_path: Path) -> None:
    """Primary and backup on one database: the same key to both at once posts once."""
    hosts = [open_host(tmp_path, url, seed) for seed in (1, 2)]
    tills = [till(host) for host in hosts]
    await tills[0].sign_on()
    card = Card()
    for amount in (100, 200, 300, 400):
        fields = tills[0].sale_fields(card, amount)
        frame = encode("0200", fields, tills[0].mac_key)
        replies = await asyncio.gather(*(each.send(frame) for each in tills * 3))
        assert len(set(replies)) == 1 and tills[0].read("0200", replies[0])[39] == "00"
    assert (await tills[0].reverse(fields))[39] == "00"
    tills[1].mac_key = tills[0].mac_key
    assert (await tills[1].reverse(fields))[39] == "00"
    posted = [(row["amount"], row["state"]) for row in hosts[1].ledger("SP000001")]
    assert posted == [(100, "approved"), (200, "approved"), (300, "approved"), (400, "reversed")]
    assert balance(hosts[0]) == 1_000_000 - 600
    for host in hosts:
        host.close()
    third = open_host(tmp_path, url)
    assert ledger.total(third.ledger()) == 600
    third.close()


def test_the_migrations_make_what_the_code_expects(url: str) -> None:
    engine = store.open_store(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, store.Base.metadata) == []
        assert context.get_current_revision() == "0001"
    engine.dispose()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a folder, 100%/host.db"
    store.open_store(url).dispose()
    before = (tmp_path / "a folder, 100%" / "host.db").read_bytes()
    store.open_store(url).dispose()
    assert (tmp_path / "a folder, 100%" / "host.db").read_bytes() == before


def test_a_database_from_the_future_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/host.db"
    engine = store.open_store(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="9999"):
        store.open_store(url)


@pytest.mark.parametrize(
    "url, complaint",
    [
        ("mysql://u:secret@h/x", "mysql is no supported database"),
        ("nonsense", "not a database URL"),
        ("postgresql://u:secret@127.0.0.1:1/x", "cannot use the database"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(url: str, complaint: str) -> None:
    with pytest.raises(StoreError, match=complaint) as caught:
        store.open_store(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "host.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        store.open_store(f"sqlite:///{tmp_path}/host.db")


async def test_a_database_that_fails_in_between_is_a_96(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of the failed message stays: once the database works again it goes through."""
    host = open_host(tmp_path)
    pos = till(host)
    await pos.sign_on()
    fields = pos.sale_fields(Card(), 1234)
    other = store.open_store(f"sqlite:///{tmp_path}/host.db")
    with other.begin() as connection:
        connection.execute(text("ALTER TABLE postings RENAME TO elsewhere"))
    assert (await pos.ask("0200", fields, pos.mac_key))[39] == "96"
    assert "no such table" in caplog.text and fields[2] not in caplog.text
    with other.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO postings"))
    assert (await pos.ask("0200", fields, pos.mac_key))[39] == "00"
    assert balance(host) == 1_000_000 - 1234
    other.dispose()
    host.close()


async def test_the_database_holds_no_secret(tmp_path: Path) -> None:
    host = open_host(tmp_path)
    pos = till(host)
    await pos.sign_on("004")
    fields = pos.sale_fields(Card(), 1234)
    await pos.ask("0200", fields, pos.mac_key)
    host.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("host.db*"))
    secrets = [bytes.fromhex(key) for key in pos.taken]
    secrets += [fields[35].encode(), fields[52].encode(), bytes.fromhex(fields[52])]
    secrets += [b"123456", bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")]
    assert [secret for secret in secrets if secret in stored] == []


# ---- the difference line


def row(trace: int, amount: int, state: str = "approved") -> dict:
    return {
        "batch": "000001", "trace": f"{trace:06d}", "type": "sale", "amount": amount,
        "state": state,
    }  # fmt: skip


@pytest.mark.parametrize(
    "host, terminal, difference, only_host, only_terminal",
    [
        ([], [], 0, [], []),
        ([row(1, 100)], [row(1, 100)], 0, [], []),
        ([row(1, 100), row(2, 50)], [row(1, 100)], 50, [2], []),
        ([], [row(3, 70)], -70, [], [3]),
        ([row(1, 100, "reversed")], [], 0, [], []),
        ([row(1, 100, "reversed")], [row(1, 100)], -100, [], [1]),
        ([row(1, 100)], [row(1, 90)], 10, [1], [1]),
        ([row(1, 100), row(2, 70)], [row(3, 100), row(2, 70)], 0, [1], [3]),
    ],
)
def test_the_difference_line(
    host: list, terminal: list, difference: int, only_host: list, only_terminal: list
) -> None:
    found = ledger.compare(host, terminal)
    assert found["difference"] == difference == found["host"] - found["terminal"]
    assert [int(each["trace"]) for each in found["only_host"]] == only_host
    assert [int(each["trace"]) for each in found["only_terminal"]] == only_terminal
