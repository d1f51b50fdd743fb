"""A whole reply as Converse gives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.core.chat import ChatReply, Choice
from penstock.core.parts import (
    Audio,
    Document,
    Image,
    Opaque,
    Part,
    Refused,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.core.seals import into_id
from penstock.core.turns import made_id
from penstock.ports.translation import Asked
from penstock.shapes.converse import SHAPE
from penstock.shapes.converse.blocks import (
    CITED,
    cited_block,
    encode_cache_point,
    text_block,
    tool_result_block,
)
from penstock.shapes.converse.finish import stop_reason_of
from penstock.shapes.converse.keep import is_own, kept, kept_object
from penstock.shapes.converse.media import encode_media
from penstock.shapes.converse.names import DocumentNames
from penstock.shapes.converse.thinking import reply_thinking
from penstock.shapes.converse.tool_blocks import encode_tool_use
from penstock.shapes.converse.usage import encode_usage

Block = dict[str, Any]


def encode_reply(reply: ChatReply, asked: Asked) -> dict[str, Any]:
    """The answer: the first choice, since Converse has one."""
    own = is_own(reply.extras)
    choice = reply.choices[0] if reply.choices else Choice()
    body = kept_object(reply.extras, "rest")
    absent = kept(choice.extras, "absent")
    output = kept_object(choice.extras, "output")
    if absent != "message" or choice.parts:
        message = kept_object(choice.extras, "message") or ({} if own else {"role": "assistant"})
        if absent is None or choice.parts:
            message["content"] = ReplyBlocks(asked.request_id, own=own).blocks(choice.parts)
        output["message"] = message
    body["output"] = output
    if choice.finish is not None or not own:
        body["stopReason"] = stop_reason_of(choice.finish, choice.native, own=own)
    if reply.usage is not None or not own:
        body["usage"] = encode_usage(reply.usage)
    if not own:
        body["metrics"] = {"latencyMs": 0}
        if choice.stop_sequence is not None:
            body["additionalModelResponseFields"] = {"stop_sequence": choice.stop_sequence}
    tier = reply.service_tier
    if tier is not None and (own or tier in ("default", "priority", "flex", "reserved")):
        body["serviceTier"] = {**(body.get("serviceTier") or {}), "type": tier}
    return body


class ReplyBlocks:
    """Parts of an answer as content blocks."""

    __slots__ = ("_names", "_own", "_seed", "_writers")

    def __init__(self, seed: str, *, own: bool) -> None:
        self._own = own
        self._seed = seed
        self._names = DocumentNames()
        self._writers: dict[type, Callable[[Any, int], list[Block]]] = {
            Text: self._text,
            Refused: lambda part, _: [{"text": part.text}],
            Thinking: lambda part, _: [reply_thinking(part)],
            ToolCall: self._call,
            ToolResult: self._result,
            Image: lambda part, _: _some(encode_media(part, "image")),
            Video: lambda part, _: _some(encode_media(part, "video")),
            Document: self._document,
            Audio: _audio,
            Opaque: lambda part, _: [part.value] if part.shape == SHAPE else [],
        }

    def blocks(self, parts: tuple[Part, ...]) -> list[Block]:
        """The blocks, with cache points after what has hints."""
        found: list[Block] = []
        for at, part in enumerate(parts):
            found += self._writers[type(part)](part, at)
            if not isinstance(part, Opaque | Refused) and part.cache is not None:
                found.append(encode_cache_point(part.cache))
        return found

    def _text(self, part: Text, _: int) -> list[Block]:
        if part.citations or kept(part.extras, "form") == CITED:
            return [cited_block(part)]
        return [text_block(part)] if part.text or self._own else []

    def _call(self, part: ToolCall, at: int) -> list[Block]:
        return [encode_tool_use(part, call_id(part, self._seed, at), part.name)]

    def _result(self, part: ToolResult, _: int) -> list[Block]:
        if not self._own:
            return []
        content = [{"json": part.value}] if part.value is not None else self.blocks(part.content)
        return [tool_result_block(part, part.call_id, content)]

    def _document(self, part: Document, _: int) -> list[Block]:
        name = part.name if self._own else self._names.take(part.name or part.title)
        return _some(encode_media(part, "document", name=name))


def call_id(part: ToolCall, seed: str, at: int) -> str:
    """A call's id for the client: made where the vendor gave none, with the call's own seal in it."""
    return into_id(part.id or made_id("tooluse_", seed, at), (), part.signature)


def _audio(part: Audio, _: int) -> list[Block]:
    said: list[Block] = [{"text": part.transcript}] if part.transcript else []
    return said + (_some(encode_media(part, "audio")) if part.source is not None else [])


def _some(found: Block | None) -> list[Block]:
    return [found] if found is not None else []
