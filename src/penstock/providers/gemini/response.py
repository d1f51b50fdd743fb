"""A generateContent reply as a ChatReply."""

from __future__ import annotations

from calendar import timegm
from time import strptime
from typing import Any, cast

from msgspec.structs import replace

from penstock.core.chat import ChatReply, Choice, FinishReason
from penstock.core.parts import Citation, Extras, Part, Text, ToolCall
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.calls import CallIds
from penstock.shapes.gemini.finish import native_of, read_finish
from penstock.shapes.gemini.grounding import read_citations
from penstock.shapes.gemini.logprobs import read_logprobs
from penstock.shapes.gemini.parts import read_parts
from penstock.shapes.gemini.reader import Reader
from penstock.shapes.gemini.tools_used import queries_of, searched
from penstock.shapes.gemini.usage import has_counts, read_usage
from penstock.shapes.taker import bounded

TIERS = {"standard": "default"}


def decode_reply(body: dict[str, Any]) -> ChatReply:
    """The whole answer. Raises ShapeError."""
    tools = searched(queries_of(body.get("candidates")))
    reader = Reader(body)
    reply_id = reader.filled("responseId")
    model = reader.filled("modelVersion")
    candidates = few(reader, "candidates") if reader.rest.get("candidates") else None
    choices = tuple([_choice(each, at, reply_id) for at, each in enumerate(candidates or ())])
    if not choices and (blocked := blocked_choice(reader.rest)) is not None:
        choices = (blocked,)
    usage = reader.rest.get("usageMetadata")
    counted = isinstance(usage, dict) and has_counts(usage)  # type: ignore[reportUnknownArgumentType]
    metadata = reader.value("usageMetadata") if counted else None
    return ChatReply(
        id=reply_id,
        model=model,
        created_s=created(reader.rest.get("createTime")),
        choices=choices,
        usage=read_usage(metadata, tools) if metadata is not None else None,
        service_tier=tier_of(metadata),
        extras=reader.mark(),
    )


def few(reader: Reader, name: str) -> list[Reader] | None:
    """The answers. Raises ShapeError where they are more than any API gives."""
    members = reader.rest.get(name)
    if isinstance(members, list):
        bounded(len(cast("list[Any]", members)), name)
    return reader.many(name)


def tier_of(metadata: dict[str, Any] | None) -> str | None:
    """The service tier that was used, in the pivot's words."""
    tier = metadata.get("serviceTier") if metadata is not None else None
    return TIERS.get(tier, tier) if isinstance(tier, str) else None


def created(value: Any) -> int | None:
    """Seconds of a timestamp such as `2026-01-02T03:04:05.678Z`."""
    if not isinstance(value, str) or len(value) < 19:
        return None
    try:
        return timegm(strptime(value[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return None


def blocked_choice(fields: dict[str, Any]) -> Choice | None:
    """The answer that a blocked prompt gets: nothing, and why."""
    feedback = fields.get("promptFeedback")
    if not isinstance(feedback, dict):
        return None
    reason = feedback.get("blockReason", feedback.get("block_reason"))  # type: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if reason is None:
        return None
    native = reason if isinstance(reason, str) else str(reason)  # type: ignore[reportUnknownArgumentType]
    return Choice(0, (), "content_filter", native, extras=Extras(SHAPE, {"~blocked": True}))


def _choice(candidate: Reader, at: int, reply_id: str) -> Choice:
    index = candidate.count("index")
    if index is None:
        candidate.note("index", at)
    parts = _parts(candidate, CallIds(reply_id, at))
    native, finish = _finish(candidate, parts)
    result = candidate.value("logprobsResult")
    texts = {each: part.text for each, part in enumerate(parts) if isinstance(part, Text)}
    by_part: dict[int, list[Citation]] = {}
    for cited, citation in read_citations(candidate.rest, texts):
        by_part.setdefault(cited, []).append(citation)
    for cited, citations in by_part.items():
        part = parts[cited]
        if isinstance(part, Text):
            parts[cited] = replace(part, citations=tuple(citations))
    return Choice(
        index if index is not None else at,
        tuple(parts),
        finish,
        native,
        logprobs=read_logprobs(result) if result is not None else None,
        extras=candidate.mark(),
    )


def _parts(candidate: Reader, ids: CallIds) -> list[Part]:
    content = candidate.object("content")
    if content is None:
        return []
    parts = read_parts(content, ids)
    candidate.note("content", content.left())
    return list(parts)


def _finish(candidate: Reader, parts: list[Part]) -> tuple[str, FinishReason | None]:
    found = native_of(candidate.rest.get("finishReason"))
    if found is None:
        return "", None
    native, number = found
    del candidate.rest["finishReason"]
    if number is not None:
        candidate.note("finish", number)
    return native, read_finish(native, calls=any(isinstance(each, ToolCall) for each in parts))
