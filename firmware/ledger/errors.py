"""The ledger's named faults.

The screen's words are filed under the class's name (firmware/ui)."""


class LedgerError(Exception):
    """The money's books refuse. `str(error)` is one English sentence for the log."""


class JournalCorrupt(LedgerError):
    """The journal is missing, or an entry inside it does not verify. Nothing was dropped or
    changed; no payment is taken until a supervisor has looked."""


class JournalFull(LedgerError):
    """The flash took no more; the entry is not durable, so nothing may leave on its strength."""


class BatchFull(LedgerError):
    """The batch is one below what a settlement can count (PROTOCOL.md, "Settlement"): settle
    first."""


class StateBackwards(LedgerError):
    """A record was asked to move backwards or sideways: a fault of the program, never of the
    shop."""


class StillOwed(LedgerError):
    """Refused while anything is owed to the host, or the batch is not empty."""
