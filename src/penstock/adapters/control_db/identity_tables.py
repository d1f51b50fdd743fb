"""The tables of ports.identity_store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from penstock.adapters.control_db.tables import METADATA

PASSWORDS = Table(
    "passwords",
    METADATA,
    Column("org", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("born_ms", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("org", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("born_ms", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("grants", Text, nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    Column("sid", Text, nullable=False, server_default=""),
    Index("sessions_by_user", "org", "user"),
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
)

FLOWS = Table(
    "flows",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("next", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

IDENTITIES = Table(
    "identities",
    METADATA,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("org", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("born_ms", BigInteger, nullable=False),
    Index("identities_by_user", "org", "user"),
)

SPENT_TOKENS = Table(
    "spent_tokens",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
)
