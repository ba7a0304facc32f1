"""Money: the transaction record, the journal it lives in, batch, totals, and what is owed."""
