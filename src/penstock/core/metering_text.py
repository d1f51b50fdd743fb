"""Events for billing as lines of text: JSON, or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from penstock.core.metering import Metered

Format = Literal["jsonl", "csv"]
USAGE = (
    "input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_input",
    "audio_output", "image_input", "image_output", "requests", "images", "audio_ms", "web_searches",
    "grounded_answers", "file_searches", "code_sessions", "characters",
)  # fmt: skip
PLAIN = (
    "id", "ts", "ended_ms", "org", "team", "user", "key", "route", "target", "credential", "model", "endpoint",
    "session", "task", "purpose", "parent", "outcome", "attempts", "usage_source", "cost_nanousd",
    "charged_nanousd", "reported_cost_nanousd", "price_card", "service_tier",
)  # fmt: skip
COLUMNS = (*PLAIN, *(f"usage_{name}" for name in USAGE), "tags", "cursor")


def lines_of(found: Iterable[Metered], form: Format) -> Iterator[str]:
    """A line for each event, each with the cursor behind it; CSV begins with its columns."""
    if form == "jsonl":
        for each in found:
            yield json.dumps({**each.event, "cursor": each.cursor.text()}, separators=(",", ":")) + "\n"
        return
    yield _row(COLUMNS)
    for each in found:
        event = each.event
        usage: dict[str, Any] = event["usage"]
        values = [event[name] for name in PLAIN] + [usage[name] for name in USAGE]
        yield _row([*values, json.dumps(event["tags"], sort_keys=True), each.cursor.text()])


def _row(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([_cell(value) for value in values])
    return text.getvalue()


def _cell(value: object) -> object:
    """A client's text must not become a formula in somebody's spreadsheet."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
