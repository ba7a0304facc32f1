"""The acquirer's ledger, and how it compares with a terminal's own books. Money in fen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tools.acquirer.events import masked_pan
from tools.acquirer.store import APPROVED, AccountRow, PostingRow

_SAME = ("batch", "trace", "type", "amount", "state")


def postings(engine: Engine, terminal: str | None = None) -> list[dict[str, Any]]:
    """The postings of a terminal (None: of all), oldest first.

    Keys: terminal, type ("sale"), amount (fen), state ("approved", "reversed"), batch and trace
    (six digits), reference (field 37), authorisation (field 38), card (masked), at (ISO time).
    """
    query = select(PostingRow).order_by(PostingRow.id)
    if terminal is not None:
        query = query.where(PostingRow.terminal == terminal)
    with Session(engine) as session:
        return [_row(posting) for posting in session.scalars(query)]


def accounts(engine: Engine) -> list[dict[str, Any]]:
    """Card accounts by number: card (masked), balance and opening (fen), pin_failures."""
    with Session(engine) as session:
        return [
            {
                "card": masked_pan(account.pan),
                "balance": account.balance,
                "opening": account.opening,
                "pin_failures": account.pin_failures,
            }
            for account in session.scalars(select(AccountRow).order_by(AccountRow.pan))
        ]


def total(rows: Iterable[Mapping[str, Any]]) -> int:
    """What the rows add up to in the merchant's favour: approved amounts, in fen."""
    return sum(row["amount"] for row in rows if row["state"] == APPROVED)


def compare(
    host: Iterable[Mapping[str, Any]], terminal: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The difference line: the host's postings against a terminal's journal.

    Both are rows with batch, trace, type, amount and state; the terminal's declined or unanswered
    transactions are not among them. Returns `host` and `terminal` (fen), `difference` (host minus
    terminal) and the rows that only one side has: `only_host`, `only_terminal`. A transaction
    reversed on either side counts for nothing there, so a reversed one may be missing opposite.
    """
    hosts = [dict(row) for row in host]
    terminals = [dict(row) for row in terminal]
    host_keys = {_key(row) for row in hosts}
    terminal_keys = {_key(row) for row in terminals}
    return {
        "host": total(hosts),
        "terminal": total(terminals),
        "difference": total(hosts) - total(terminals),
        "only_host": [row for row in hosts if _counts(row) and _key(row) not in terminal_keys],
        "only_terminal": [row for row in terminals if _counts(row) and _key(row) not in host_keys],
    }


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in _SAME)


def _counts(row: Mapping[str, Any]) -> bool:
    return row["state"] == APPROVED


def _row(posting: PostingRow) -> dict[str, Any]:
    return {
        "terminal": posting.terminal,
        "type": posting.type,
        "amount": posting.amount,
        "state": posting.state,
        "batch": posting.batch,
        "trace": posting.trace,
        "reference": posting.reference,
        "authorisation": posting.authorisation,
        "card": masked_pan(posting.pan),
        "at": posting.at.isoformat(),
    }
