"""What every store of the ledger shares: rows, columns, and how a batch of events becomes them."""
