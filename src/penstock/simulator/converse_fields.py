"""The fields of Amazon Bedrock's Converse API: which there are, which must be there, and what they take."""

from __future__ import annotations

import base64
import binascii

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
    record,
    text,
    union,
    values,
    whole,
)

_TOOL_ID = matching(r"[a-zA-Z0-9_.:-]{1,64}")
_TOOL_NAME = matching(r"[a-zA-Z0-9_-]{1,64}")
_CACHE_POINT = record({"type": one_of("default"), "ttl": one_of("5m", "1h")}, ["type"])
_S3 = record({"uri": text, "bucketOwner": text}, ["uri"])


def _blob(value: object, path: Path) -> None:
    text(value, path)
    try:
        base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(path, "type", "blob") from None


def _medium(*formats: str, **more: Check) -> Check:
    source = union({"bytes": _blob, "s3Location": _S3})
    return record({"format": one_of(*formats), "source": source, **more}, ["format", "source"])


_IMAGE = _medium("png", "jpeg", "gif", "webp")
_VIDEO = _medium("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp")
_AUDIO = _medium("mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "m4a", "mpeg", "pcm", "webm")
_DOCUMENT = record(
    {
        "format": one_of("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"),
        "name": text,
        "source": union(
            {"bytes": _blob, "s3Location": _S3, "text": text, "content": items(union({"text": text}))}
        ),
        "context": text,
        "citations": record({"enabled": flag}, ["enabled"]),
    },
    ["name", "source"],
)
_SEARCH_RESULT = record(
    {"source": text, "title": text, "content": items(record({"text": text}, ["text"])), "citations": anything},
    ["source", "title", "content"],
)
_TOOL_USE = record(
    {"toolUseId": _TOOL_ID, "name": _TOOL_NAME, "input": anything, "type": one_of("server_tool_use")},
    ["toolUseId", "name", "input"],
)
_RESULT = union(
    {
        "json": anything,
        "text": text,
        "image": _IMAGE,
        "document": _DOCUMENT,
        "video": _VIDEO,
        "searchResult": _SEARCH_RESULT,
    }
)
_TOOL_RESULT = record(
    {
        "toolUseId": _TOOL_ID,
        "content": items(_RESULT),
        "status": one_of("success", "error"),
        "type": text,
    },
    ["toolUseId", "content"],
)
_REASONING = union(
    {"reasoningText": record({"text": text, "signature": text}, ["text"]), "redactedContent": _blob}
)
_BLOCK = union(
    {
        "text": text,
        "image": _IMAGE,
        "document": _DOCUMENT,
        "video": _VIDEO,
        "audio": _AUDIO,
        "toolUse": _TOOL_USE,
        "toolResult": _TOOL_RESULT,
        "guardContent": mapping,
        "cachePoint": _CACHE_POINT,
        "reasoningContent": _REASONING,
        "citationsContent": mapping,
        "searchResult": _SEARCH_RESULT,
    }
)
_MESSAGE = record({"role": one_of("user", "assistant"), "content": items(_BLOCK)}, ["role", "content"])
_SYSTEM = union({"text": text, "guardContent": mapping, "cachePoint": _CACHE_POINT})
_TOOL = union(
    {
        "toolSpec": record(
            {
                "name": _TOOL_NAME,
                "description": text,
                "inputSchema": union({"json": mapping}),
                "strict": flag,
            },
            ["name", "inputSchema"],
        ),
        "systemTool": record({"name": _TOOL_NAME}, ["name"]),
        "cachePoint": _CACHE_POINT,
    }
)
_TOOL_CHOICE = union({"auto": record({}), "any": record({}), "tool": record({"name": _TOOL_NAME}, ["name"])})
_FORMAT = record(
    {
        "type": one_of("json_schema"),
        "structure": union(
            {"jsonSchema": record({"schema": text, "name": text, "description": text}, ["schema"])}
        ),
    },
    ["type", "structure"],
)
CONVERSE = record(
    {
        "messages": items(_MESSAGE),
        "system": items(_SYSTEM),
        "inferenceConfig": record(
            {
                "maxTokens": whole(1),
                "temperature": number(0, 1),
                "topP": number(0, 1),
                "stopSequences": items(text, most=2500),
            }
        ),
        "toolConfig": record({"tools": items(_TOOL), "toolChoice": _TOOL_CHOICE}, ["tools"]),
        "guardrailConfig": record(
            {
                "guardrailIdentifier": text,
                "guardrailVersion": text,
                "trace": one_of("enabled", "disabled", "enabled_full"),
                "streamProcessingMode": one_of("sync", "async"),
            }
        ),
        "additionalModelRequestFields": mapping,
        "promptVariables": values(union({"text": text})),
        "additionalModelResponseFieldPaths": items(text, most=10),
        "requestMetadata": values(text),
        "performanceConfig": record({"latency": one_of("standard", "optimized")}),
        "serviceTier": record({"type": one_of("priority", "default", "flex", "reserved")}, ["type"]),
        "outputConfig": record({"textFormat": _FORMAT, "effort": text}),
    }
)
