"""Tables of the ledger in PostgreSQL. Money in nano-dollars (NULL: unpriced), instants in Unix milliseconds.

They are those of `adapters.sqlite.ledger_schema`, and beside them `site`: whose journal a boot stands in.
"""

from __future__ import annotations

from penstock.adapters.ledger.columns import (
    ATTEMPT_COLUMNS,
    DRILL_COLUMNS,
    EXCHANGE_COLUMNS,
    OPEN_ATTEMPT_COLUMNS,
    REFUSAL_COLUMNS,
    USAGE_COLUMNS,
    USES_OF_TOOLS,
)
from penstock.adapters.ledger.judgements import FEEDBACK_COLUMNS, SCORE_COLUMNS
from penstock.adapters.postgres.connection import SCHEMA, Connection
from penstock.ports.ledger import LedgerError

SCHEMA_VERSION = 6
# Letters of "penledgr", and locks beside it: numbers that nothing else in the database uses.
MAKING, FOLDING, JUDGING = 0x70656E6C65646772, 0x70656E6C65646773, 0x70656E6C65646774
_HAS_SCHEMA = "SELECT FROM pg_namespace WHERE nspname = %s"
_HAS_VERSION = "SELECT FROM pg_tables WHERE schemaname = %s AND tablename = 'version'"
_TEXTS = frozenset(
    {
        *("request_id", "org", "team", "user", "key", "route", "target", "dialect", "endpoint", "model"),
        *("model_answered", "session", "task", "prompt_version", "feature", "retries", "outcome", "code"),
        *("finish_reason", "cache", "usage_source", "price_card", "service_tier", "cause", "boot"),
        *("upstream_request_id", "purpose", "parent"),
        *("id", "source", "name", "label", "comment", "correction", "cohort"),
        *("verdict", "reason", "report"),
    }
)
_TYPES = {
    "stream": "boolean NOT NULL",
    "success": "boolean NOT NULL",
    "tags": "jsonb NOT NULL",
    "notes": "jsonb NOT NULL",
    "event": "bytea NOT NULL",
    "value": "double precision",
    "total": "double precision NOT NULL",
    "share": "double precision NOT NULL",
    "cost_nanousd": "bigint",
    "reserved_nanousd": "bigint",
    "reported_cost_nanousd": "bigint",
    **dict.fromkeys(_TEXTS, "text NOT NULL"),
}
_LATER = dict.fromkeys(USAGE_COLUMNS, " DEFAULT 0") | {
    **dict.fromkeys(("service_tier", "purpose", "parent"), " DEFAULT ''"),
    "notes": " DEFAULT '{}'",
}


def _table(name: str, columns: tuple[str, ...], key: str) -> str:
    lines = [f'"{each}" {_TYPES.get(each, "bigint NOT NULL")}{_LATER.get(each, "")}' for each in columns]
    return f"CREATE TABLE {name} (\n  {', '.join(lines)},\n  PRIMARY KEY ({key})\n);\n"


# The transaction that brought a row: what a billing export goes by, since times come in any order.
_ORDER = """
ALTER TABLE exchanges ADD COLUMN xact bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX exchanges_xact ON exchanges (xact, request_id);
"""
_JUDGED = f"""
{_table("feedback", FEEDBACK_COLUMNS, "boot, seq")}
CREATE INDEX feedback_at ON feedback (at_ms);
CREATE INDEX feedback_request ON feedback (request_id) WHERE request_id != '';
CREATE INDEX feedback_waiting ON feedback (at_ms) WHERE state = 0;
CREATE INDEX exchanges_session ON exchanges (session, ts_ms) WHERE session != '';
CREATE INDEX exchanges_task ON exchanges (task, ts_ms) WHERE task != '';
{_table("scores", SCORE_COLUMNS, "slot, route, target, cohort, name")}
"""
_DRILLS = _table("drills", DRILL_COLUMNS, "boot, seq")

DDL = f"""
CREATE TABLE version (number integer NOT NULL);
INSERT INTO version VALUES ({SCHEMA_VERSION});
{_table("exchanges", EXCHANGE_COLUMNS, "request_id")}
CREATE INDEX exchanges_ts ON exchanges (ts_ms);
{_ORDER}
{_table("attempts", ATTEMPT_COLUMNS, "request_id, idx")}
{_table("refusals", REFUSAL_COLUMNS, "boot, seq")}
CREATE INDEX refusals_ts ON refusals (ts_ms);
{_JUDGED}
{_DRILLS}
{_table("open_exchanges", ("request_id", "boot", "event"), "request_id")}
{_table("open_attempts", OPEN_ATTEMPT_COLUMNS, "request_id, idx")}
CREATE TABLE spend (
  boot text NOT NULL,
  brief smallint NOT NULL,
  slot bigint NOT NULL,
  account text NOT NULL,
  nanousd bigint NOT NULL,
  PRIMARY KEY (boot, brief, slot, account)
) WITH (fillfactor = 80);
CREATE TABLE checkpoints (
  boot text PRIMARY KEY,
  site text NOT NULL,
  segment bigint NOT NULL,
  "offset" bigint NOT NULL,
  last_seq bigint NOT NULL,
  finished boolean NOT NULL,
  torn_places bigint NOT NULL,
  torn_bytes bigint NOT NULL,
  undecoded bigint NOT NULL,
  finished_ms bigint NOT NULL
) WITH (fillfactor = 50);
"""  # noqa: S608 - only our own names go in

# What leads from the tables of an older version to the next one's.
UPGRADES = {
    1: """
ALTER TABLE exchanges ADD COLUMN purpose text NOT NULL DEFAULT '';
ALTER TABLE exchanges ADD COLUMN parent text NOT NULL DEFAULT '';
ALTER TABLE exchanges ADD COLUMN notes jsonb NOT NULL DEFAULT '{}';
UPDATE version SET number = 2;
""",
    2: _ORDER + "UPDATE version SET number = 3;",  # noqa: S608 - our own names
    3: _JUDGED + "UPDATE version SET number = 4;",  # noqa: S608 - our own names
    4: "\n".join(
        [
            *(f"ALTER TABLE exchanges ADD COLUMN {name} bigint NOT NULL DEFAULT 0;" for name in USES_OF_TOOLS),
            *(f"ALTER TABLE attempts ADD COLUMN {name} bigint NOT NULL DEFAULT 0;" for name in USES_OF_TOOLS),
            "UPDATE version SET number = 5;",
        ]
    ),
    5: _DRILLS + "UPDATE version SET number = 6;",  # noqa: S608 - our own names
}


def prepare(connection: Connection) -> None:
    """Make the tables if there are none, and bring older ones up to date, one worker at a time.

    Workers of the version before go on writing: they name their columns, and new ones have defaults.

    Raises:
        psycopg.Error: they cannot be made; the user needs CREATE on the database, or on the schema.
        LedgerError: they are of a newer version.
    """
    with connection.transaction():
        version = version_of(connection)
        if version is None or version in UPGRADES:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
        if version_of(connection) is None:
            found = connection.execute(_HAS_SCHEMA, (SCHEMA,)).fetchone()
            if found is None:
                connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
            connection.execute(DDL.encode())
        while (version := version_of(connection)) in UPGRADES:
            connection.execute(UPGRADES[version].encode())
    check(connection)


def check(connection: Connection) -> None:
    """Raise LedgerError where the tables are not of this version."""
    version = version_of(connection)
    if version != SCHEMA_VERSION:
        raise LedgerError(
            f"the tables in schema {SCHEMA} are of version {version}, this program needs {SCHEMA_VERSION}:"
            " bring all machines to the newest version"
        )


def version_of(connection: Connection) -> int | None:
    """The version of the tables, None where there are none."""
    # Not by to_regclass: within a transaction it may remember that there was none.
    if connection.execute(_HAS_VERSION, (SCHEMA,)).fetchone() is None:
        return None
    row = connection.execute("SELECT number FROM version").fetchone()
    return row[0] if row else None
