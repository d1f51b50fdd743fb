"""Credentials in texts: one table of vendors' formats, and what is assigned to a name that says `secret`."""
