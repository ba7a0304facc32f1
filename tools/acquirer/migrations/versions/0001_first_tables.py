"""Terminals, accounts, transaction counters, messages and postings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.create_table(
        "terminals",
        sa.Column("number", sa.String(8), primary_key=True),
        sa.Column("merchant", sa.String(15), nullable=False),
        sa.Column("batch", sa.Integer, nullable=False),
        sa.Column("cycle", sa.Integer, nullable=False),
        sa.Column("operator", sa.String(3), nullable=False),
        sa.Column("pin_key", sa.LargeBinary(16)),
        sa.Column("mac_key", sa.LargeBinary(16)),
        sa.Column("track_key", sa.LargeBinary(16)),
    )
    op.create_table(
        "accounts",
        sa.Column("pan", sa.String(19), primary_key=True),
        sa.Column("opening", sa.BigInteger, nullable=False),
        sa.Column("balance", sa.BigInteger, nullable=False),
        sa.Column("pin_failures", sa.Integer, nullable=False),
    )
    op.create_table(
        "counters",
        sa.Column("pan", sa.String(19), sa.ForeignKey("accounts.pan"), primary_key=True),
        sa.Column("psn", sa.String(2), primary_key=True),
        sa.Column("last_atc", sa.Integer, nullable=False),
    )
    op.create_table(
        "messages",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("terminal", sa.String(8), sa.ForeignKey("terminals.number"), nullable=False),
        sa.Column("merchant", sa.String(15), nullable=False),
        sa.Column("cycle", sa.Integer, nullable=False),
        sa.Column("batch", sa.String(6), nullable=False),
        sa.Column("trace", sa.String(6), nullable=False),
        sa.Column("mti", sa.String(4), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("response_code", sa.String(2), nullable=False),
        sa.Column("reply", sa.JSON, nullable=False),
        sa.Column("received", sa.DateTime, nullable=False),
        sa.UniqueConstraint(
            "terminal", "merchant", "cycle", "batch", "trace", "mti", name="one_message_a_key"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "postings",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column(
            "message", sa.BigInteger, sa.ForeignKey("messages.id"), nullable=False, unique=True
        ),
        sa.Column("terminal", sa.String(8), sa.ForeignKey("terminals.number"), nullable=False),
        sa.Column("cycle", sa.Integer, nullable=False),
        sa.Column("batch", sa.String(6), nullable=False),
        sa.Column("trace", sa.String(6), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("pan", sa.String(19), sa.ForeignKey("accounts.pan"), nullable=False),
        sa.Column("reference", sa.String(12), nullable=False),
        sa.Column("authorisation", sa.String(6), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    for table in ("postings", "messages", "counters", "accounts", "terminals"):
        op.drop_table(table)
