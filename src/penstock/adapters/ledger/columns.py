"""The columns of the ledger's rows, in the order in which `rows` gives their values."""

from __future__ import annotations

import msgspec

from penstock.core.usage import Usage

USAGE_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Usage))
# Those that came later than the tables' first versions.
USES_OF_TOOLS = ("web_searches", "grounded_answers", "file_searches", "code_sessions", "characters")
EXCHANGE_COLUMNS = (
    *("request_id", "ts_ms", "ended_ms", "org", "team", "user", "key", "route", "target", "dialect"),
    *("endpoint", "model", "model_answered", "stream", "session", "task", "prompt_version", "feature"),
    *("tags", "attempts", "retries", "outcome", "status", "code", "finish_reason", "success", "cache"),
    *("ttft_us", "total_us", "overhead_us", "connect_us", "first_byte_us", "upstream_us"),
    *("bytes_in", "bytes_out", "usage_source", "cost_nanousd", "spent_nanousd", "price_card"),
    *("service_tier", "reported_cost_nanousd", "purpose", "parent", "notes"),
    *USAGE_COLUMNS,
)
ATTEMPT_COLUMNS = (
    *("request_id", "idx", "key", "target", "model", "opened_ms", "outcome", "cause", "status"),
    *("usage_source", "cost_nanousd", "reserved_nanousd", "price_card", "model_answered", "finish_reason"),
    *("upstream_request_id", "connect_us", "first_byte_us", "total_us", "service_tier"),
    "reported_cost_nanousd",
    *USAGE_COLUMNS,
)
REFUSAL_COLUMNS = (
    *("boot", "seq", "request_id", "ts_ms", "org", "team", "user", "key", "route", "model"),
    *("dialect", "endpoint", "status", "code"),
)
DRILL_COLUMNS = (
    *("boot", "seq", "id", "route", "target", "share", "began_ms", "ended_ms", "verdict", "reason", "planned"),
    "report",
)
OPEN_ATTEMPT_COLUMNS = ("request_id", "idx", "boot", "key", "at_ms", "reserved_nanousd", "event")
SPEND_COLUMNS = ("boot", "brief", "slot", "account", "nanousd")
