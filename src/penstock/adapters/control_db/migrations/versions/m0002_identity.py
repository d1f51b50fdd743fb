"""Passwords, sessions, attempts to log in, logins under way, links to identity providers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables; text is compared by its bytes, as in 0001."""
    kind = Text(collation="C") if op.get_bind().dialect.name == "postgresql" else Text()

    def text(name: str, *, key: bool = False) -> Column[str]:
        return Column(name, kind, primary_key=key, nullable=False)

    def number(name: str) -> Column[int]:
        return Column(name, BigInteger, nullable=False)

    op.create_table(
        "passwords",
        text("org", key=True), text("user", key=True), number("born_ms"), text("hash"), number("changed_ms"),
    )  # fmt: skip
    op.create_table(
        "sessions",
        text("digest", key=True), text("org"), text("user"), number("born_ms"), text("method"), text("address"),
        number("created_ms"), number("seen_ms"), number("expires_ms"), text("grants"),
    )  # fmt: skip
    op.create_index("sessions_by_user", "sessions", ["org", "user"])
    op.create_table("attempts", text("name", key=True), number("count"), number("last_ms"))
    op.create_table(
        "flows",
        text("digest", key=True), text("provider"), text("browser"), text("nonce"), text("verifier"),
        text("next"), number("created_ms"),
    )  # fmt: skip
    op.create_table(
        "identities",
        text("issuer", key=True), text("subject", key=True), text("org", key=True), text("user"),
        number("born_ms"),
    )  # fmt: skip
    op.create_index("identities_by_user", "identities", ["org", "user"])


def downgrade() -> None:
    """Drop them."""
    for name in ("identities", "flows", "attempts", "sessions", "passwords"):
        op.drop_table(name)
