"""The tables of the control store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

METADATA = MetaData()

ITEMS = Table(
    "items",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("org", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("managed_by", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

REVISIONS = Table(
    "revisions",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("content", Text, nullable=False),
)

CHANGES = Table(
    "changes",
    METADATA,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("org", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("before", Text),
    Column("after", Text),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("ts_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("org", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Index("audit_by_time", "ts_ms"),
    Index("audit_by_org", "org", "seq"),
)

NOTES = Table("notes", METADATA, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

SERVED = Table(
    "served",
    METADATA,
    Column("boot", Text, primary_key=True),
    Column("machine", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
)
