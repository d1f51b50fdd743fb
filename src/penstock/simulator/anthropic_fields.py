"""The fields of Anthropic's Messages API: which there are, which must be there, and what they take."""

from __future__ import annotations

from typing import Any

from penstock.simulator.strict import (
    Check,
    Invalid,
    Path,
    anything,
    flag,
    items,
    mapping,
    matching,
    number,
    one_of,
    optional,
    record,
    tagged,
    text,
    text_or,
    whole,
)

_ID = matching(r"[a-zA-Z0-9_-]+")
_TOOL_NAME = matching(r"[a-zA-Z0-9_-]{1,128}")
_CACHE = optional(record({"type": one_of("ephemeral"), "ttl": one_of("5m", "1h"), "scope": text}, ["type"]))
_CITATIONS = optional(record({"enabled": flag}))

_TEXT = record({"type": anything, "text": text, "cache_control": _CACHE, "citations": anything}, ["text"])
_IMAGE_TYPE = one_of("image/jpeg", "image/png", "image/gif", "image/webp")
_URL = record({"type": anything, "url": text}, ["url"])
_FILE = record({"type": anything, "file_id": text}, ["file_id"])
_IMAGE_SOURCE = tagged(
    {
        "base64": record({"type": anything, "media_type": _IMAGE_TYPE, "data": text}, ["media_type", "data"]),
        "url": _URL,
        "file": _FILE,
    }
)
_IMAGE = record({"type": anything, "source": _IMAGE_SOURCE, "cache_control": _CACHE}, ["source"])
_PDF = record({"type": anything, "media_type": one_of("application/pdf"), "data": text}, ["media_type", "data"])
_PLAIN = record({"type": anything, "media_type": one_of("text/plain"), "data": text}, ["media_type", "data"])
_PARTS = text_or(items(tagged({"text": _TEXT, "image": _IMAGE})))
_DOCUMENT = record(
    {
        "type": anything,
        "source": tagged(
            {
                "base64": _PDF,
                "text": _PLAIN,
                "url": _URL,
                "file": _FILE,
                "content": record({"type": anything, "content": _PARTS}, ["content"]),
            }
        ),
        "title": optional(text),
        "context": optional(text),
        "citations": _CITATIONS,
        "cache_control": _CACHE,
    },
    ["source"],
)
_SEARCH_RESULT = record(
    {
        "type": anything,
        "source": text,
        "title": text,
        "content": items(tagged({"text": _TEXT})),
        "citations": _CITATIONS,
        "cache_control": _CACHE,
    },
    ["source", "title", "content"],
)
_THINKING = record({"type": anything, "thinking": text, "signature": text}, ["thinking", "signature"])
_REDACTED = record({"type": anything, "data": text}, ["data"])
_TOOL_USE = record(
    {
        "type": anything,
        "id": _ID,
        "name": text,
        "input": mapping,
        "cache_control": _CACHE,
        "caller": anything,
        "toolset_name": anything,
    },
    ["id", "name", "input"],
)
_RESULT_PARTS = items(
    tagged(
        {
            "tool_reference": anything,
            "text": _TEXT,
            "image": _IMAGE,
            "document": _DOCUMENT,
            "search_result": _SEARCH_RESULT,
        }
    )
)
_TOOL_RESULT = record(
    {
        "type": anything,
        "tool_use_id": _ID,
        "content": text_or(_RESULT_PARTS),
        "is_error": flag,
        "cache_control": _CACHE,
        "toolset_name": anything,
    },
    ["tool_use_id"],
)
# What Anthropic's own tools leave in a conversation; they have many fields, and no simulated tool makes them.
_SERVER_BLOCKS: dict[str, Check] = dict.fromkeys(
    (
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "container_upload",
        "mcp_tool_use",
        "mcp_tool_result",
        "compaction",
        "advisor_tool_result",
        "tool_addition",
        "tool_removal",
    ),
    anything,
)
_BLOCK = tagged(
    {
        "text": _TEXT,
        "image": _IMAGE,
        "document": _DOCUMENT,
        "search_result": _SEARCH_RESULT,
        "thinking": _THINKING,
        "redacted_thinking": _REDACTED,
        "tool_use": _TOOL_USE,
        "tool_result": _TOOL_RESULT,
        **_SERVER_BLOCKS,
    }
)
_MESSAGE = record(
    {"role": one_of("user", "assistant", "system"), "content": text_or(items(_BLOCK))}, ["role", "content"]
)


def _schema(value: Any, path: Path) -> None:
    mapping(value, path)
    if value.get("type") != "object":
        raise Invalid((*path, "type"), "missing" if "type" not in value else "value", "'object'")


_CUSTOM_TOOL = record(
    {
        "type": optional(one_of("custom")),
        "name": _TOOL_NAME,
        "description": text,
        "input_schema": _schema,
        "cache_control": _CACHE,
        "strict": flag,
        "defer_loading": flag,
        "eager_input_streaming": optional(flag),
        "allowed_callers": items(text),
        "input_examples": items(mapping),
    },
    ["name", "input_schema"],
)


def _tool(value: Any, path: Path) -> None:
    """A custom tool is checked; Anthropic's own tools, which have a dated type, may have any fields."""
    mapping(value, path)
    kind = value.get("type")
    if kind is None or kind == "custom":
        _CUSTOM_TOOL(value, (*path, "custom"))
    elif not isinstance(kind, str) or not (kind[-8:].isdigit() or kind == "mcp_toolset"):
        raise Invalid(path, "value", "of a type that is one of custom, or a tool of this API")


_ONE_CALL = {"type": anything, "disable_parallel_tool_use": flag}
_TOOL_CHOICE = tagged(
    {
        "auto": record(_ONE_CALL),
        "any": record(_ONE_CALL),
        "tool": record(_ONE_CALL | {"name": text}, ["name"]),
        "none": record({"type": anything}),
    }
)
_SHOWN = optional(one_of("summarized", "omitted"))
_THINKING_CONFIG = tagged(
    {
        "enabled": record(
            {"type": anything, "budget_tokens": whole(1024), "display": _SHOWN}, ["budget_tokens"]
        ),
        "adaptive": record({"type": anything, "display": _SHOWN}),
        "between_tools": record({"type": anything}),
        "disabled": record({"type": anything}),
    }
)
_FORMAT = optional(
    tagged({"json_schema": record({"type": anything, "schema": mapping}, ["schema"])}, show=False)
)
_OUTPUT_CONFIG = record(
    {
        "effort": optional(one_of("low", "medium", "high", "xhigh", "max")),
        "format": _FORMAT,
        "task_budget": anything,
    }
)

_BOTH: dict[str, Check] = {
    "model": text,
    "messages": items(_MESSAGE, most=100_000),
    "system": text_or(items(tagged({"text": _TEXT}, show=False))),
    "tools": items(_tool),
    "tool_choice": _TOOL_CHOICE,
    "thinking": _THINKING_CONFIG,
    "output_config": _OUTPUT_CONFIG,
    "cache_control": _CACHE,
    "speed": optional(one_of("standard", "fast")),
}
_ONLY_MESSAGES: dict[str, Check] = {
    "max_tokens": whole(1),
    "stream": flag,
    "temperature": number(0, 1),
    "top_p": number(0, 1),
    "top_k": whole(0),
    "stop_sequences": items(text),
    "metadata": record({"user_id": optional(text)}),
    "service_tier": one_of("auto", "standard_only"),
    "container": anything,
    "inference_geo": optional(text),
    "diagnostics": anything,
}
# Fields that exist only for requests with the header `anthropic-beta`.
_BETA: dict[str, Check] = {
    "output_format": _FORMAT,
    **dict.fromkeys(
        ("mcp_servers", "context_management", "compaction", "fallbacks", "thread", "billing_policy"), anything
    ),
}
MESSAGES = record(_BOTH | _ONLY_MESSAGES, ["model", "max_tokens", "messages"])
MESSAGES_BETA = record(_BOTH | _ONLY_MESSAGES | _BETA, ["model", "max_tokens", "messages"])
COUNT_TOKENS = record(_BOTH, ["model", "messages"])
COUNT_TOKENS_BETA = record(_BOTH | _BETA, ["model", "messages"])
