"""The process that turns the journal into the ledger and what is derived from it."""
