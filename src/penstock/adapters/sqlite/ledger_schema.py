"""Tables of `ledger.db`. Money in nano-dollars (NULL: unpriced), instants in Unix milliseconds.

`taken` numbers the exchanges in the order in which they came: what an export for billing goes by, since times
come in any order. Those from before it was there have 0.
"""

from __future__ import annotations

from penstock.adapters.ledger.columns import USAGE_COLUMNS, USES_OF_TOOLS

SCHEMA_VERSION = 9
_USAGE_DDL = "".join(f"  {name} INTEGER NOT NULL,\n" for name in USAGE_COLUMNS)
# Sums of money, in the order in which they grow: what a boot adds now stands together.
# `brief`: of sessions and tasks.
_SPEND_DDL = """
CREATE TABLE spend (
  boot TEXT NOT NULL,
  brief INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  account TEXT NOT NULL,
  nanousd INTEGER NOT NULL,
  PRIMARY KEY (boot, brief, slot, account)
) WITHOUT ROWID;
"""
# Judgements, and their sums by minute; sessions and tasks are looked up when somebody says how they ended.
_JUDGED_DDL = """
CREATE TABLE feedback (
  boot TEXT NOT NULL,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  org TEXT NOT NULL,
  team TEXT NOT NULL,
  user TEXT NOT NULL,
  key TEXT NOT NULL,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  value REAL,
  request_id TEXT NOT NULL,
  session TEXT NOT NULL,
  task TEXT NOT NULL,
  label TEXT NOT NULL,
  comment TEXT NOT NULL,
  correction TEXT NOT NULL,
  route TEXT NOT NULL,
  target TEXT NOT NULL,
  cohort TEXT NOT NULL,
  state INTEGER NOT NULL,
  PRIMARY KEY (boot, seq)
) WITHOUT ROWID;
CREATE INDEX feedback_at ON feedback (at_ms);
CREATE INDEX feedback_request ON feedback (request_id) WHERE request_id != '';
CREATE INDEX feedback_waiting ON feedback (at_ms) WHERE state = 0;
CREATE INDEX exchanges_session ON exchanges (session, ts_ms) WHERE session != '';
CREATE INDEX exchanges_task ON exchanges (task, ts_ms) WHERE task != '';
CREATE TABLE scores (
  slot INTEGER NOT NULL,
  route TEXT NOT NULL,
  target TEXT NOT NULL,
  cohort TEXT NOT NULL,
  name TEXT NOT NULL,
  n INTEGER NOT NULL,
  total REAL NOT NULL,
  PRIMARY KEY (slot, route, target, cohort, name)
) WITHOUT ROWID;
"""
# What came of failover drills, by gateway.
_DRILLS_DDL = """
CREATE TABLE drills (
  boot TEXT NOT NULL,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  route TEXT NOT NULL,
  target TEXT NOT NULL,
  share REAL NOT NULL,
  began_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  planned INTEGER NOT NULL,
  report TEXT NOT NULL,
  PRIMARY KEY (boot, seq)
) WITHOUT ROWID;
"""

DDL = f"""
CREATE TABLE exchanges (
  request_id TEXT PRIMARY KEY,
  ts_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  org TEXT NOT NULL,
  team TEXT NOT NULL,
  user TEXT NOT NULL,
  key TEXT NOT NULL,
  route TEXT NOT NULL,
  target TEXT NOT NULL,
  dialect TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  model_answered TEXT NOT NULL,
  stream INTEGER NOT NULL,
  session TEXT NOT NULL,
  task TEXT NOT NULL,
  prompt_version TEXT NOT NULL,
  feature TEXT NOT NULL,
  tags TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  retries TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER NOT NULL,
  code TEXT NOT NULL,
  finish_reason TEXT NOT NULL,
  success INTEGER NOT NULL,
  cache TEXT NOT NULL,
  ttft_us INTEGER NOT NULL,
  total_us INTEGER NOT NULL,
  overhead_us INTEGER NOT NULL,
  connect_us INTEGER NOT NULL,
  first_byte_us INTEGER NOT NULL,
  upstream_us INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
{_USAGE_DDL}  usage_source TEXT NOT NULL,
  cost_nanousd INTEGER,
  spent_nanousd INTEGER NOT NULL,
  price_card TEXT NOT NULL,
  service_tier TEXT NOT NULL DEFAULT '',
  reported_cost_nanousd INTEGER,
  purpose TEXT NOT NULL DEFAULT '',
  parent TEXT NOT NULL DEFAULT '',
  notes TEXT NOT NULL DEFAULT '{{}}',
  taken INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX exchanges_ts ON exchanges (ts_ms);
CREATE INDEX exchanges_taken ON exchanges (taken);
CREATE TABLE attempts (
  request_id TEXT NOT NULL,
  idx INTEGER NOT NULL,
  key TEXT NOT NULL,
  target TEXT NOT NULL,
  model TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  cause TEXT NOT NULL,
  status INTEGER NOT NULL,
{_USAGE_DDL}  usage_source TEXT NOT NULL,
  cost_nanousd INTEGER,
  reserved_nanousd INTEGER,
  price_card TEXT NOT NULL,
  model_answered TEXT NOT NULL,
  finish_reason TEXT NOT NULL,
  upstream_request_id TEXT NOT NULL,
  connect_us INTEGER NOT NULL,
  first_byte_us INTEGER NOT NULL,
  total_us INTEGER NOT NULL,
  service_tier TEXT NOT NULL DEFAULT '',
  reported_cost_nanousd INTEGER,
  PRIMARY KEY (request_id, idx)
) WITHOUT ROWID;
CREATE TABLE open_exchanges (
  request_id TEXT PRIMARY KEY,
  boot TEXT NOT NULL,
  event BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE open_attempts (
  request_id TEXT NOT NULL,
  idx INTEGER NOT NULL,
  boot TEXT NOT NULL,
  key TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  reserved_nanousd INTEGER,
  event BLOB NOT NULL,
  PRIMARY KEY (request_id, idx)
) WITHOUT ROWID;
CREATE TABLE refusals (
  boot TEXT NOT NULL,
  seq INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  ts_ms INTEGER NOT NULL,
  org TEXT NOT NULL,
  team TEXT NOT NULL,
  user TEXT NOT NULL,
  key TEXT NOT NULL,
  route TEXT NOT NULL,
  model TEXT NOT NULL,
  dialect TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  status INTEGER NOT NULL,
  code TEXT NOT NULL,
  PRIMARY KEY (boot, seq)
) WITHOUT ROWID;
CREATE INDEX refusals_ts ON refusals (ts_ms);{_SPEND_DDL}{_JUDGED_DDL}{_DRILLS_DDL}CREATE TABLE checkpoints (
  boot TEXT PRIMARY KEY,
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  torn_places INTEGER NOT NULL,
  torn_bytes INTEGER NOT NULL,
  undecoded INTEGER NOT NULL,
  finished_ms INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""


def _spent_before(brief: int, account: str, condition: str) -> str:
    return f"""
INSERT INTO spend
  SELECT '', {brief}, a.opened_ms / 900000 AS slot, {account} AS account, sum(a.cost_nanousd)
  FROM attempts a JOIN exchanges e USING (request_id)
  WHERE a.cost_nanousd != 0 AND {condition} GROUP BY slot, account;
"""  # noqa: S608 - only our own names go in


_LAST_DAY = "a.opened_ms > (SELECT max(opened_ms) FROM attempts) - 86400000"
# What leads from the tables of an older version to the next one's.
UPGRADES = {
    1: """
ALTER TABLE exchanges ADD COLUMN service_tier TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN service_tier TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 2;
""",
    2: f"""
{_SPEND_DDL}
ALTER TABLE checkpoints ADD COLUMN finished_ms INTEGER NOT NULL DEFAULT 0;
{_spent_before(0, "'org:' || e.org", "e.org != ''")}
{_spent_before(0, "'team:' || e.org || '/' || e.team", "e.org != '' AND e.team != ''")}
{_spent_before(0, "'user:' || e.org || '/' || e.user", "e.user != ''")}
{_spent_before(0, "'key:' || e.key", "e.key != ''")}
{_spent_before(0, "'route:' || e.route", "e.route != ''")}
{_spent_before(0, "'deployment:' || a.target", "a.target != ''")}
{_spent_before(1, "'session:' || e.org || '/' || e.session", f"e.session != '' AND {_LAST_DAY}")}
{_spent_before(1, "'task:' || e.org || '/' || e.task", f"e.task != '' AND {_LAST_DAY}")}
DROP TRIGGER attempt_spends;
DROP TABLE spend_hourly;
DROP TABLE spend_total;
PRAGMA user_version = 3;
""",
    3: """
ALTER TABLE exchanges ADD COLUMN reported_cost_nanousd INTEGER;
ALTER TABLE attempts ADD COLUMN reported_cost_nanousd INTEGER;
PRAGMA user_version = 4;
""",
    4: """
ALTER TABLE exchanges ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE exchanges ADD COLUMN parent TEXT NOT NULL DEFAULT '';
ALTER TABLE exchanges ADD COLUMN notes TEXT NOT NULL DEFAULT '{}';
PRAGMA user_version = 5;
""",
    5: """
ALTER TABLE exchanges ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
CREATE INDEX exchanges_taken ON exchanges (taken);
PRAGMA user_version = 6;
""",
    6: f"""
{_JUDGED_DDL}
PRAGMA user_version = 7;
""",
    7: "".join(
        f"ALTER TABLE {table} ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0;\n"
        for table in ("exchanges", "attempts")
        for name in USES_OF_TOOLS
    )
    + "PRAGMA user_version = 8;\n",
    8: f"""
{_DRILLS_DDL}
PRAGMA user_version = 9;
""",
}
