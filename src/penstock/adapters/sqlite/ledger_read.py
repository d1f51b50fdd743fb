"""Questions to `ledger.db`, on connections that cannot write."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from penstock.adapters.sqlite.ledger_schema import SCHEMA_VERSION
from penstock.core.ids import is_own
from penstock.ports.ledger import Position

# What rows can be grouped by; beside these `tag.NAME`.
DIMENSIONS = {
    "route": "route",
    "model": "CASE model_answered WHEN '' THEN model ELSE model_answered END",
    "target": "target",
    "key": "key",
    "user": "user",
    "team": "team",
    "org": "org",
    "feature": "feature",
    "session": "session",
    "task": "task",
    "prompt_version": "prompt_version",
    "dialect": "dialect",
    "endpoint": "endpoint",
    "outcome": "outcome",
    "cache": "cache",
    "service_tier": "service_tier",
    "day": "date(ts_ms / 1000, 'unixepoch')",
}
TAG_PREFIX = "tag."


class UnknownDimensionError(ValueError):
    """A grouping that the ledger has no column for."""


class CostLine(msgspec.Struct, frozen=True):
    """One group of `cost`. `cost_nanousd` is the known part; of `unpriced` requests a part is missing."""

    group: dict[str, str]
    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_nanousd: int
    estimated_nanousd: int
    unpriced: int


class TopLine(msgspec.Struct, frozen=True):
    """One group of `top`; percentiles by nearest rank."""

    group: dict[str, str]
    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    cost_nanousd: int
    unpriced: int


class LedgerReader:
    """A read-only connection.

    Raises:
        FileNotFoundError: there is no ledger yet.
        sqlite3.Error: it cannot be read; all methods raise it too.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(path)
        self._db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in {0, SCHEMA_VERSION}:
            self._db.close()
            raise sqlite3.DatabaseError(
                f"its tables are of version {version}, this program's of {SCHEMA_VERSION}; "
                "a worker that starts brings older ones up to date"
            )

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def positions(self) -> Mapping[str, Position]:
        """How far each boot of the journal is projected."""
        query = "SELECT boot, segment, offset, last_seq, finished FROM checkpoints"
        return {row[0]: Position(row[1], row[2], row[3], bool(row[4])) for row in self._db.execute(query)}

    def exchanges(self, since_ms: int, limit: int) -> Iterator[dict[str, Any]]:
        """Exchanges since an instant as the objects of `penstock logs --json`, oldest first.

        With a limit above 0 only the newest ones.
        """
        query = "SELECT * FROM exchanges WHERE ts_ms >= ? ORDER BY ts_ms {0}, request_id {0}"
        if limit:
            rows = self._db.execute(query.format("DESC") + " LIMIT ?", (since_ms, limit)).fetchall()
            rows.reverse()
            yield from map(_logged, rows)
        else:
            yield from map(_logged, self._db.execute(query.format("ASC"), (since_ms,)))

    def cost(self, by: Sequence[str], since_ms: int) -> list[CostLine]:
        """Sums per group since an instant, the dearest first.

        Raises:
            UnknownDimensionError: one of `by` is neither a dimension nor a tag.
        """
        columns, names, marks = _grouping(by)
        query = f"""
            SELECT {columns} count(*), sum(outcome != 'ok'), sum(input_tokens), sum(output_tokens),
              sum(spent_nanousd) AS spent,
              sum(CASE usage_source WHEN 'estimated' THEN spent_nanousd ELSE 0 END),
              sum(cost_nanousd IS NULL)
            FROM exchanges WHERE ts_ms >= ? {names} ORDER BY spent DESC, count(*) DESC
        """  # noqa: S608 - columns come from the table above, tag names are bound
        size = len(by)
        rows = self._db.execute(query, (*marks, since_ms))
        return [CostLine(_group(by, row), *row[size:]) for row in rows if row[size]]

    def top(self, by: Sequence[str], since_ms: int) -> list[TopLine]:
        """Traffic, latency and cost per group since an instant, the busiest first.

        Raises:
            UnknownDimensionError: one of `by` is neither a dimension nor a tag.
        """
        columns, names, marks = _grouping(by)
        size = len(by)
        window = names.replace("GROUP BY", "PARTITION BY")
        groups = "".join(f"g{number}, " for number in range(size))
        query = f"""
            WITH chosen AS (SELECT {columns} outcome, total_us, spent_nanousd, cost_nanousd FROM exchanges
                            WHERE ts_ms >= ?),
            ranked AS (SELECT *, row_number() OVER ({window} ORDER BY total_us) AS place,
                              count(*) OVER ({window}) AS size FROM chosen)
            SELECT {groups} count(*), sum(outcome != 'ok'),
              max(CASE WHEN place = (size * 50 + 99) / 100 THEN total_us ELSE 0 END) / 1000.0,
              max(CASE WHEN place = (size * 95 + 99) / 100 THEN total_us ELSE 0 END) / 1000.0,
              sum(spent_nanousd), sum(cost_nanousd IS NULL)
            FROM ranked {names} ORDER BY count(*) DESC
        """  # noqa: S608 - columns come from the table above, tag names are bound
        rows = self._db.execute(query, (*marks, since_ms))
        return [TopLine(_group(by, row), *row[size:]) for row in rows if row[size]]


def _grouping(by: Sequence[str]) -> tuple[str, str, list[str]]:
    """The select list, the GROUP BY clause, and the values to bind for tags."""
    columns = ""
    marks: list[str] = []
    for number, name in enumerate(by):
        if name.startswith(TAG_PREFIX) and len(name) > len(TAG_PREFIX):
            columns += f"coalesce(json_extract(tags, ?), '') AS g{number}, "
            marks.append('$."' + name[len(TAG_PREFIX) :].replace('"', "") + '"')
        elif name in DIMENSIONS:
            columns += f"{DIMENSIONS[name]} AS g{number}, "
        else:
            known = ", ".join(sorted(DIMENSIONS))
            raise UnknownDimensionError(f"{name!r} is nothing to group by; there are {known} and tag.NAME")
    names = ", ".join(f"g{number}" for number in range(len(by)))
    return columns, f"GROUP BY {names}" if names else "", marks


def _group(by: Sequence[str], row: sqlite3.Row) -> dict[str, str]:
    return {name: str(row[number]) for number, name in enumerate(by)}


def _logged(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "request_id": row["request_id"],
        "ts": _instant(row["ts_ms"]),
        "org": row["org"],
        "team": row["team"],
        "key": row["key"],
        "user": row["user"],
        "route": row["route"],
        "target": row["target"],
        "credential": "own" if is_own(row["target"]) else "platform",
        "model": row["model"],
        "model_answered": row["model_answered"],
        "dialect": row["dialect"],
        "endpoint": row["endpoint"],
        "stream": bool(row["stream"]),
        "attempts": row["attempts"],
        "retries": json.loads(row["retries"]),
        "status": row["status"],
        "outcome": row["outcome"],
        "code": row["code"],
        "finish_reason": row["finish_reason"],
        "success": bool(row["success"]),
        "usage": {
            "input": row["input_tokens"],
            "output": row["output_tokens"],
            "cache_read": row["cache_read_tokens"],
            "cache_write": row["cache_write_tokens"],
            "cache_write_1h": row["cache_write_1h_tokens"],
            "reasoning": row["reasoning_tokens"],
            "audio_input": row["audio_input_tokens"],
            "audio_output": row["audio_output_tokens"],
            "image_input": row["image_input_tokens"],
            "image_output": row["image_output_tokens"],
            "requests": row["requests"],
            "images": row["images"],
            "audio_ms": row["audio_ms"],
        },
        "usage_source": row["usage_source"],
        "cost_nanousd": row["cost_nanousd"],
        "price_card": row["price_card"],
        "service_tier": row["service_tier"],
        "cache": row["cache"],
        "ttft_ms": row["ttft_us"] / 1_000,
        "total_ms": row["total_us"] / 1_000,
        "upstream_ms": row["upstream_us"] / 1_000,
        "overhead_us": row["overhead_us"],
        "bytes_in": row["bytes_in"],
        "bytes_out": row["bytes_out"],
        "session": row["session"],
        "task": row["task"],
        "prompt_version": row["prompt_version"],
        "feature": row["feature"],
        "tags": json.loads(row["tags"]),
    }


def _instant(ts_ms: int) -> str:
    moment = datetime.fromtimestamp(ts_ms / 1_000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
