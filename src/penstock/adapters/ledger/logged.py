"""A row of an exchange as people and programs see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from penstock.core.ids import is_own


def logged(row: Mapping[str, Any]) -> dict[str, Any]:
    """An exchange as `penstock logs --json` shows it."""
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
        "usage": _usage(row),
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


def _usage(row: Mapping[str, Any]) -> dict[str, int]:
    return {
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
        "web_searches": row["web_searches"],
        "grounded_answers": row["grounded_answers"],
        "file_searches": row["file_searches"],
        "code_sessions": row["code_sessions"],
        "characters": row["characters"],
    }


def _instant(ts_ms: int) -> str:
    moment = datetime.fromtimestamp(ts_ms / 1_000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
