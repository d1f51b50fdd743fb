"""Writing and reading the journal, and what can be summed from it without a database."""
