"""The books: one current batch of transactions, replayed from the journal at boot.

    ledger = Ledger("/journal", Vault(), clock)      # replays; JournalCorrupt
    for txn in ledger.recover(): ...                 # what a power cut left, now owed or cancelled
    async with ledger.begin(SALE, 1234, operator="01") as txn:
        txn.card = CardData(CHIP, pan, ...)
        reply = await link.authorise(txn)            # OPENED → SENT → APPROVED/COMPLETED/DECLINED
        ...second GENERATE AC...
        txn.complete(cryptogram="...", tvr="...")    # chip only
    # leaving the block: still OPENED → CANCELLED; SENT → REVERSING 98; APPROVED → REVERSING 96

Public face (all durable when the call returns; none awaits):
    Ledger(folder, vault, clock); Ledger.create(folder, vault, clock, batch, trace): provisioning only
    .recover() -> list[Txn]        records that changed at boot
    .begin(kind, amount, operator='') -> async context manager giving Txn; BatchFull, JournalFull
    .owed() -> list[Txn]           in the order of their sequence
    .totals() -> Totals            .debit_count .debit_amount .credit_count .credit_amount (fen)
    .find(trace) -> Txn | None     in this batch
    .last() -> Txn | None          newest COMPLETED one, for the reprint; outlives the batch's end
    .transactions() -> list[Txn]   of this batch, oldest first
    .batch -> int, .count -> int, .empty -> bool
    .take_trace() -> int           for sign-on, echo and the like: never given twice in a batch
    .adopt_batch(number)           StillOwed unless empty and nothing owed
    .stamp -> int                  newest clock value in the journal (0 if none)
    .notices -> list[str]          what opening found and repaired (a torn tail), for the fault log
"""
