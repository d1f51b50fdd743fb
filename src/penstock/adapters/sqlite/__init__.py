"""The embedded stores, on the standard library's sqlite3."""
