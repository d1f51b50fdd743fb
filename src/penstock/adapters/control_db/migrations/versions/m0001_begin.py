"""Objects, revisions, audit log, notes, and what gateways serve."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables. Text is compared by its bytes everywhere, so that pages do not depend on a language."""
    kind = Text(collation="C") if op.get_bind().dialect.name == "postgresql" else Text()

    def text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
        return Column(name, kind, primary_key=key, nullable=null)

    def number(name: str, *, key: bool = False) -> Column[int]:
        return Column(name, BigInteger, primary_key=key, autoincrement=False, nullable=False)

    op.create_table(
        "items",
        text("kind", key=True), text("org", key=True), text("name", key=True), text("team"), text("managed_by"),
        text("body"), number("version"), number("created_ms"), number("updated_ms"),
    )  # fmt: skip
    op.create_table(
        "revisions",
        number("number", key=True), number("created_ms"), text("author"), text("origin"), text("reason"),
        text("content"),
    )  # fmt: skip
    op.create_table(
        "changes",
        number("revision", key=True), text("kind", key=True), text("org", key=True), text("name", key=True),
        text("before", null=True), text("after", null=True),
    )  # fmt: skip
    op.create_table(
        "audit",
        number("seq", key=True), text("entry"), text("previous"), text("digest"), number("ts_ms"),
        text("actor"), text("action"), text("kind"), text("org"), text("team"), text("name"), text("outcome"),
    )  # fmt: skip
    op.create_index("audit_by_time", "audit", ["ts_ms"])
    op.create_index("audit_by_org", "audit", ["org", "seq"])
    op.create_table("notes", text("name", key=True), text("value"))
    op.create_table("served", text("boot", key=True), text("machine"), number("number"), number("seen_ms"))
