"""What the host remembers, and in which database: SQLite by default, PostgreSQL by URL.

Money is integers in fen. Keys are stored only as cryptograms under a terminal's master key, PINs
and tracks never. The schema is whatever the migrations say; `open_store` applies them.
"""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool

from tools.acquirer.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")

APPROVED = "approved"
REVERSED = "reversed"

_Id = BigInteger().with_variant(Integer, "sqlite")
_LOCK_SECONDS = 10
_migrating = threading.Lock()  # alembic keeps the running migration in a module global


class Base(DeclarativeBase):
    """The tables' common root."""


class TerminalRow(Base):
    """A terminal: its merchant, its batch, and its working keys as cryptograms.

    `cycle` counts settlements: a batch number comes round again, a cycle does not.
    """

    __tablename__ = "terminals"

    number: Mapped[str] = mapped_column(String(8), primary_key=True)
    merchant: Mapped[str] = mapped_column(String(15))
    batch: Mapped[int] = mapped_column(Integer)
    cycle: Mapped[int] = mapped_column(Integer)
    operator: Mapped[str] = mapped_column(String(3))
    pin_key: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    mac_key: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    track_key: Mapped[bytes | None] = mapped_column(LargeBinary(16))


class AccountRow(Base):
    """A card account. `balance` is what is left to spend; `opening` what it began with.

    `pin_failures` counts wrong PINs in a row.
    """

    __tablename__ = "accounts"

    pan: Mapped[str] = mapped_column(String(19), primary_key=True)
    opening: Mapped[int] = mapped_column(BigInteger)
    balance: Mapped[int] = mapped_column(BigInteger)
    pin_failures: Mapped[int] = mapped_column(Integer)


class CounterRow(Base):
    """The highest transaction counter (ATC) that an application sent with a good cryptogram."""

    __tablename__ = "counters"

    pan: Mapped[str] = mapped_column(ForeignKey("accounts.pan"), primary_key=True)
    psn: Mapped[str] = mapped_column(String(2), primary_key=True)
    last_atc: Mapped[int] = mapped_column(Integer)


class MessageRow(Base):
    """An answered request under its key; `reply` holds the reply's fields without its MAC.

    The MAC is made when a reply is sent, because the terminal may have new keys by then.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint(
            "terminal", "merchant", "cycle", "batch", "trace", "mti", name="one_message_a_key"
        ),
        {"sqlite_autoincrement": True},  # the number makes the reference: never twice
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    terminal: Mapped[str] = mapped_column(ForeignKey("terminals.number"))
    merchant: Mapped[str] = mapped_column(String(15))
    cycle: Mapped[int] = mapped_column(Integer)
    batch: Mapped[str] = mapped_column(String(6))
    trace: Mapped[str] = mapped_column(String(6))
    mti: Mapped[str] = mapped_column(String(4))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    response_code: Mapped[str] = mapped_column(String(2))
    reply: Mapped[dict[str, Any]] = mapped_column(JSON)
    received: Mapped[datetime] = mapped_column(DateTime)


class PostingRow(Base):
    """Money moved by one approved message; declines are no postings."""

    __tablename__ = "postings"

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    message: Mapped[int] = mapped_column(BigInteger, ForeignKey("messages.id"), unique=True)
    terminal: Mapped[str] = mapped_column(ForeignKey("terminals.number"))
    cycle: Mapped[int] = mapped_column(Integer)
    batch: Mapped[str] = mapped_column(String(6))
    trace: Mapped[str] = mapped_column(String(6))
    type: Mapped[str] = mapped_column(String(16))
    amount: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    pan: Mapped[str] = mapped_column(ForeignKey("accounts.pan"))
    reference: Mapped[str] = mapped_column(String(12))
    authorisation: Mapped[str] = mapped_column(String(6))
    at: Mapped[datetime] = mapped_column(DateTime)


def open_store(database_url: str) -> Engine:
    """Open the database of that URL and bring its schema up to date.

    Raises StoreError, with the URL's password hidden, when either does not work.
    """
    url = _with_driver(database_url)
    try:
        engine = _engine(url)
        _migrate(engine)
    except (SQLAlchemyError, CommandError, OSError) as error:
        where = url.render_as_string(hide_password=True)
        raise StoreError(f"cannot use the database {where}: {error}") from error
    return engine


def _with_driver(database_url: str) -> URL:
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise StoreError(f"not a database URL: {error}") from None
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"{url.get_backend_name()} is no supported database; use sqlite:///FILE")
    return url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        arguments = {"connect_timeout": _LOCK_SECONDS}
        return create_engine(url, connect_args=arguments, hide_parameters=True)
    options: dict[str, Any] = {"hide_parameters": True}  # a card number is one of them
    if url.database in (None, "", ":memory:"):
        options["poolclass"] = StaticPool
    else:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    options["connect_args"] = {"check_same_thread": False, "timeout": _LOCK_SECONDS}
    engine = create_engine(url, **options)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_writing)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """Durable and strict: a commit is on the disk, a foreign key holds.

    isolation_level None keeps Python's driver from opening transactions of its own accord.
    """
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_writing(connection: Any) -> None:
    """Take the write lock first: two hosts on one file queue up instead of failing half-way."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _migrating, engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
