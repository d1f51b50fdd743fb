"""Questions to a ledger, in the SQL that all its stores understand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from penstock.core.ids import is_own
from penstock.ports.ledger import Position

# What rows can be grouped by; beside these `tag.NAME` and `note.NAME`. {day} is a store's own word.
DIMENSIONS = {
    "route": "route",
    "model": "CASE model_answered WHEN '' THEN model ELSE model_answered END",
    "target": "target",
    "key": '"key"',
    "user": '"user"',
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
    "purpose": "purpose",
    "day": "{day}",
}
TAG_PREFIX = "tag."
NOTE_PREFIX = "note."


# The nearest rank, in milliseconds.
_PERCENTILE = (
    "CAST(max(CASE WHEN place = (size * {} + 99) / 100 THEN total_us ELSE 0 END) AS DOUBLE PRECISION) / 1000"
)


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


class ReportedLine(msgspec.Struct, frozen=True):
    """One group of exchanges whose vendors said what they bill. `reported_nanousd` is that sum.

    `cost_nanousd` is ours for the same exchanges and `difference_nanousd` what was reported beyond it.
    Exchanges that we have no price for are counted in `unpriced`, and what was reported of them in
    `unpriced_reported_nanousd`, in neither of the other sums.
    """

    group: dict[str, str]
    requests: int
    unpriced: int
    cost_nanousd: int
    reported_nanousd: int
    difference_nanousd: int
    unpriced_reported_nanousd: int


class TopLine(msgspec.Struct, frozen=True):
    """One group of `top`; percentiles by nearest rank."""

    group: dict[str, str]
    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    cost_nanousd: int
    unpriced: int


class Sql(Protocol):
    """A connection of a store that cannot write.

    `mark` stands for a value in a query; `tag` for the text of a tag whose name `bind_tag` makes a value of,
    and `note` for that of a note; `day` for the day of an exchange in UTC.
    """

    mark: str
    tag: str
    note: str
    day: str

    def bind_tag(self, name: str) -> str:
        """The value that `tag` takes for a name."""
        ...

    def ask(self, query: str, values: Sequence[object]) -> Iterable[Sequence[Any]]:
        """Rows as tuples."""
        ...

    def ask_named(self, query: str, values: Sequence[object]) -> Iterator[Mapping[str, Any]]:
        """Rows by column, without holding all of them."""
        ...

    def positions(self) -> Mapping[str, Position]:
        """How far each boot of this place's journal is projected."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class LedgerReader:
    """What commands and the dashboard ask of a ledger.

    Methods raise `ports.ledger.LedgerError` where it cannot be read.
    """

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def close(self) -> None:
        """Close it."""
        self._sql.close()

    def positions(self) -> Mapping[str, Position]:
        """How far each boot of this place's journal is projected."""
        return self._sql.positions()

    def exchanges(self, since_ms: int, limit: int) -> Iterator[dict[str, Any]]:
        """Exchanges since an instant as the objects of `penstock logs --json`, oldest first.

        With a limit above 0 only the newest ones.
        """
        mark = self._sql.mark
        query = f"SELECT * FROM exchanges WHERE ts_ms >= {mark} ORDER BY ts_ms {{0}}, request_id {{0}}"  # noqa: S608 - a mark
        if limit:
            newest = query.format("DESC") + f" LIMIT {mark}"
            rows = list(self._sql.ask_named(newest, (since_ms, limit)))
            rows.reverse()
            yield from map(_logged, rows)
        else:
            yield from map(_logged, self._sql.ask_named(query.format("ASC"), (since_ms,)))

    def cost(self, by: Sequence[str], since_ms: int) -> list[CostLine]:
        """Sums per group since an instant, the dearest first.

        Raises:
            UnknownDimensionError: one of `by` is neither a dimension nor a tag.
        """
        columns, names, values = self._grouping(by)
        query = f"""
            SELECT {columns} count(*), count(*) FILTER (WHERE outcome != 'ok'),
              CAST(sum(input_tokens) AS BIGINT), CAST(sum(output_tokens) AS BIGINT),
              CAST(sum(spent_nanousd) AS BIGINT) AS spent,
              CAST(sum(CASE usage_source WHEN 'estimated' THEN spent_nanousd ELSE 0 END) AS BIGINT),
              count(*) FILTER (WHERE cost_nanousd IS NULL)
            FROM exchanges WHERE ts_ms >= {self._sql.mark} {names} ORDER BY spent DESC, count(*) DESC
        """  # noqa: S608 - columns come from the table above, tag names are bound
        size = len(by)
        rows = self._sql.ask(query, (*values, since_ms))
        return [CostLine(_group(by, row), *row[size:]) for row in rows if row[size]]

    def reported(self, by: Sequence[str], since_ms: int) -> list[ReportedLine]:
        """Our costs beside the vendors' own since an instant, the largest difference first.

        Raises:
            UnknownDimensionError: one of `by` is neither a dimension nor a tag.
        """
        columns, names, values = self._grouping(by)
        difference = "coalesce(CAST(sum(reported_cost_nanousd - cost_nanousd) AS BIGINT), 0)"
        query = f"""
            SELECT {columns} count(*), count(*) FILTER (WHERE cost_nanousd IS NULL),
              coalesce(CAST(sum(cost_nanousd) AS BIGINT), 0),
              CAST(sum(CASE WHEN cost_nanousd IS NULL THEN 0 ELSE reported_cost_nanousd END) AS BIGINT),
              {difference},
              CAST(sum(CASE WHEN cost_nanousd IS NULL THEN reported_cost_nanousd ELSE 0 END) AS BIGINT)
            FROM exchanges WHERE ts_ms >= {self._sql.mark} AND reported_cost_nanousd IS NOT NULL
            {names} ORDER BY abs({difference}) DESC, count(*) DESC
        """  # noqa: S608 - columns come from the table above, tag names are bound
        size = len(by)
        rows = self._sql.ask(query, (*values, since_ms))
        return [ReportedLine(_group(by, row), *row[size:]) for row in rows if row[size]]

    def top(self, by: Sequence[str], since_ms: int) -> list[TopLine]:
        """Traffic, latency and cost per group since an instant, the busiest first.

        Raises:
            UnknownDimensionError: one of `by` is neither a dimension nor a tag.
        """
        columns, names, values = self._grouping(by)
        size = len(by)
        window = names.replace("GROUP BY", "PARTITION BY")
        groups = "".join(f"g{number}, " for number in range(size))
        query = f"""
            WITH chosen AS (SELECT {columns} outcome, total_us, spent_nanousd, cost_nanousd FROM exchanges
                            WHERE ts_ms >= {self._sql.mark}),
            ranked AS (SELECT chosen.*, row_number() OVER ({window} ORDER BY total_us) AS place,
                              count(*) OVER ({window}) AS size FROM chosen)
            SELECT {groups} count(*), count(*) FILTER (WHERE outcome != 'ok'),
              {_PERCENTILE.format(50)}, {_PERCENTILE.format(95)},
              CAST(sum(spent_nanousd) AS BIGINT), count(*) FILTER (WHERE cost_nanousd IS NULL)
            FROM ranked {names} ORDER BY count(*) DESC
        """  # noqa: S608 - columns come from the table above, tag names are bound
        rows = self._sql.ask(query, (*values, since_ms))
        return [TopLine(_group(by, row), *row[size:]) for row in rows if row[size]]

    def _grouping(self, by: Sequence[str]) -> tuple[str, str, list[str]]:
        """The select list, the GROUP BY clause, and the values to bind for tags."""
        columns = ""
        values: list[str] = []
        for number, name in enumerate(by):
            if name.startswith(TAG_PREFIX) and len(name) > len(TAG_PREFIX):
                columns += f"coalesce({self._sql.tag}, '') AS g{number}, "
                values.append(self._sql.bind_tag(name[len(TAG_PREFIX) :]))
            elif name.startswith(NOTE_PREFIX) and len(name) > len(NOTE_PREFIX):
                columns += f"coalesce({self._sql.note}, '') AS g{number}, "
                values.append(self._sql.bind_tag(name[len(NOTE_PREFIX) :]))
            elif name in DIMENSIONS:
                columns += f"{DIMENSIONS[name].format(day=self._sql.day)} AS g{number}, "
            else:
                known = ", ".join(sorted(DIMENSIONS))
                raise UnknownDimensionError(
                    f"{name!r} is nothing to group by; there are {known}, tag.NAME and note.NAME"
                )
        names = ", ".join(f"g{number}" for number in range(len(by)))
        return columns, f"GROUP BY {names}" if names else "", values


def _group(by: Sequence[str], row: Sequence[Any]) -> dict[str, str]:
    return {name: str(row[number]) for number, name in enumerate(by)}


def _logged(row: Mapping[str, Any]) -> dict[str, Any]:
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
        "reported_cost_nanousd": row["reported_cost_nanousd"],
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
        "purpose": row["purpose"],
        "parent": row["parent"],
        "notes": json.loads(row["notes"]),
    }


def _instant(ts_ms: int) -> str:
    moment = datetime.fromtimestamp(ts_ms / 1_000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
