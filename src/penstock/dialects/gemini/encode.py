"""A ChatReply as a generateContent reply."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, Choice
from penstock.core.parts import Signature, Text
from penstock.dialects.gemini.candidates import PartWriter, shows_thoughts
from penstock.ports.translation import Asked
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.finish import write_finish
from penstock.shapes.gemini.grounding import write_citations
from penstock.shapes.gemini.logprobs import write_logprobs
from penstock.shapes.gemini.parts import write_part
from penstock.shapes.gemini.reader import closed, opened, own, own_fields
from penstock.shapes.gemini.usage import write_usage
from penstock.shapes.taker import put

Json = dict[str, Any]


def encode_reply(reply: ChatReply, asked: Asked) -> Json:
    """The whole answer as a JSON object."""
    mine = own(reply.extras)
    out, notes = opened(own_fields(reply.extras))
    choices = [each for each in reply.choices if not _is_blocked(each)]
    if choices:
        thoughts = shows_thoughts(asked.request)
        out["candidates"] = [_candidate(each, thoughts=thoughts) for each in choices]
    if reply.usage is not None:
        out["usageMetadata"] = write_usage(reply.usage)
    if mine:
        put(out, modelVersion=reply.model or None, responseId=reply.id or None)
    else:
        out["modelVersion"] = reply.model or asked.model
        out["responseId"] = asked.request_id
    return closed(out, notes)


def _is_blocked(choice: Choice) -> bool:
    """Whether the choice only stands for a prompt that Google blocked."""
    blocked = "~blocked" in own_fields(choice.extras)
    return blocked and not choice.parts and choice.finish == "content_filter"


def _candidate(choice: Choice, *, thoughts: bool) -> Json:
    mine = own(choice.extras)
    out, notes = opened(own_fields(choice.extras))
    if mine:
        parts, places = _own_parts(choice), {each: each for each in range(len(choice.parts))}
        _content(out, parts, notes)
    else:
        parts, places = _foreign_parts(choice, thoughts=thoughts)
        out["content"] = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    if notes.get("~index", -1) != choice.index:
        out["index"] = choice.index
    if choice.finish is not None:
        word = write_finish(choice.finish, choice.native)
        number = notes.get("~finish")
        out["finishReason"] = number if number is not None and word == choice.native else word
    if choice.logprobs is not None:
        out["logprobsResult"] = write_logprobs(choice.logprobs)
    cited = [
        (places[place], part.text, each)
        for place, part in enumerate(choice.parts)
        if isinstance(part, Text) and place in places
        for each in part.citations
    ]
    grounding = write_citations(cited) if cited else None
    if grounding is not None and "groundingMetadata" not in out:
        out["groundingMetadata"] = grounding
    return closed(out, notes)


def _content(out: Json, parts: list[Json], notes: Json) -> None:
    if parts or "~content" in notes:
        content, spelling = opened(notes.get("~content", {"role": "model"}))
        if parts or "~parts" in spelling:
            content["parts"] = parts
        out["content"] = closed(content, spelling)


def _own_parts(choice: Choice) -> list[Json]:
    written = [write_part(each, own_seal(getattr(each, "signature", None))) for each in choice.parts]
    return [each for each in written if each is not None]


def own_seal(signature: Signature | None) -> str | None:
    """The signature that Google itself gave."""
    return signature.value if signature is not None and signature.signer == SHAPE else None


def _foreign_parts(choice: Choice, *, thoughts: bool) -> tuple[list[Json], dict[int, int]]:
    """The parts, and which of them each part of the choice became."""
    writer = PartWriter(thoughts=thoughts)
    parts: list[Json] = []
    places: dict[int, int] = {}
    for place, part in enumerate(choice.parts):
        written = writer.write(part)
        if written is not None:
            places[place] = len(parts)
            parts.append(written)
    rest = writer.rest()
    return ([*parts, rest] if rest is not None else parts), places
