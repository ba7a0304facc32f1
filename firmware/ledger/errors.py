"""The ledger's named faults. `key` names the words that the screen shows."""


class LedgerError(Exception):
    """The money's books refuse. `str(error)` is one English sentence for the log."""

    key = "ledger_fault"


class JournalCorrupt(LedgerError):
    """The journal is missing, or an entry inside it does not verify. Nothing was dropped or changed;
    no payment is taken until a supervisor has looked."""

    key = "journal_corrupt"


class JournalFull(LedgerError):
    """The flash took no more; the entry is not durable, so nothing may leave on its strength."""

    key = "journal_full"


class BatchFull(LedgerError):
    """The batch is one below what a settlement can count (PROTOCOL.md, "Settlement"): settle first."""

    key = "batch_full"


class StateBackwards(LedgerError):
    """A record was asked to move backwards or sideways: a fault of the program, never of the shop."""

    key = "ledger_fault"


class StillOwed(LedgerError):
    """Refused while anything is owed to the host, or the batch is not empty."""

    key = "still_owed"


class VaultError(LedgerError):
    """Stored card data does not open under the storage keys."""

    key = "vault_fault"
