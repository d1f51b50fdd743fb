"""Tables of `ledger.db`. Money in nano-dollars (NULL: unpriced), instants in Unix milliseconds."""

from __future__ import annotations

import msgspec

from penstock.core.usage import Usage

SCHEMA_VERSION = 2
USAGE_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Usage))
_USAGE_DDL = "".join(f"  {name} INTEGER NOT NULL,\n" for name in USAGE_COLUMNS)

EXCHANGE_COLUMNS = (
    *("request_id", "ts_ms", "ended_ms", "org", "team", "user", "key", "route", "target", "dialect"),
    *("endpoint", "model", "model_answered", "stream", "session", "task", "prompt_version", "feature"),
    *("tags", "attempts", "retries", "outcome", "status", "code", "finish_reason", "success", "cache"),
    *("ttft_us", "total_us", "overhead_us", "connect_us", "first_byte_us", "upstream_us"),
    *("bytes_in", "bytes_out", "usage_source", "cost_nanousd", "spent_nanousd", "price_card"),
    "service_tier",
    *USAGE_COLUMNS,
)
ATTEMPT_COLUMNS = (
    *("request_id", "idx", "key", "target", "model", "opened_ms", "outcome", "cause", "status"),
    *("usage_source", "cost_nanousd", "reserved_nanousd", "price_card", "model_answered", "finish_reason"),
    *("upstream_request_id", "connect_us", "first_byte_us", "total_us", "service_tier"),
    *USAGE_COLUMNS,
)
REFUSAL_COLUMNS = (
    *("boot", "seq", "request_id", "ts_ms", "org", "team", "user", "key", "route", "model"),
    *("dialect", "endpoint", "status", "code"),
)

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
  service_tier TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX exchanges_ts ON exchanges (ts_ms);
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
CREATE INDEX refusals_ts ON refusals (ts_ms);
CREATE TABLE spend_hourly (
  key TEXT NOT NULL,
  hour INTEGER NOT NULL,
  nanousd INTEGER NOT NULL,
  estimated_nanousd INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  PRIMARY KEY (key, hour)
) WITHOUT ROWID;
CREATE INDEX spend_hourly_hour ON spend_hourly (hour);
CREATE TABLE spend_total (key TEXT PRIMARY KEY, nanousd INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE checkpoints (
  boot TEXT PRIMARY KEY,
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  torn_places INTEGER NOT NULL,
  torn_bytes INTEGER NOT NULL,
  undecoded INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER attempt_spends AFTER INSERT ON attempts BEGIN
  INSERT INTO spend_hourly VALUES (
    NEW.key, NEW.opened_ms / 3600000, coalesce(NEW.cost_nanousd, 0),
    CASE NEW.usage_source WHEN 'estimated' THEN coalesce(NEW.cost_nanousd, 0) ELSE 0 END,
    1, NEW.cost_nanousd IS NULL)
  ON CONFLICT DO UPDATE SET
    nanousd = nanousd + excluded.nanousd,
    estimated_nanousd = estimated_nanousd + excluded.estimated_nanousd,
    attempts = attempts + 1,
    unpriced = unpriced + excluded.unpriced;
  INSERT INTO spend_total VALUES (NEW.key, coalesce(NEW.cost_nanousd, 0))
  ON CONFLICT DO UPDATE SET nanousd = nanousd + excluded.nanousd;
END;
PRAGMA user_version = {SCHEMA_VERSION};
"""  # noqa: S608 - only our own names go in

# What leads from the tables of an older version to the next one's.
UPGRADES = {
    1: """
ALTER TABLE exchanges ADD COLUMN service_tier TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN service_tier TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 2;
"""
}
