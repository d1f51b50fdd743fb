"""By whom a provider means a session, and which of its logout tokens were used."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns and the table; sessions from before end by time alone."""
    kind = Text(collation="C") if op.get_bind().dialect.name == "postgresql" else Text()
    for name in ("subject", "sid"):
        op.add_column("sessions", Column(name, kind, nullable=False, server_default=""))
    op.create_table(
        "spent_tokens",
        Column("digest", kind, primary_key=True, nullable=False),
        Column("until_ms", BigInteger, nullable=False),
    )
