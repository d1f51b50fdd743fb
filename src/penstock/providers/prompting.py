"""A target's own system prompt, put into a request where its API keeps system prompts.

The client's bytes stay as they are, but for that one member. Completions have no such place; they stay whole.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from penstock.core.prompt_variant import PromptVariant
from penstock.shapes.openai_request import OpenAIRequest

_GAP = "\n\n"
_SYSTEM_ROLES = frozenset({"system", "developer"})


class _Turn(msgspec.Struct):
    role: str = ""


class _Instruction(msgspec.Struct):
    parts: list[Raw] = []
    role: str | None = None


_raws = msgspec.json.Decoder(list[Raw]).decode
_turn = msgspec.json.Decoder(_Turn).decode
_text = msgspec.json.Decoder(str).decode
_instruction = msgspec.json.Decoder(_Instruction).decode
_encode = msgspec.json.Encoder().encode
_NOTHING = (b"", b"null")


def prompt_edits(request: OpenAIRequest, variant: PromptVariant) -> dict[str, bytes]:
    """The members that carry the target's prompt, by name; none where there is no place for it."""
    if request.fields is None:
        return {}
    raw = request.fields.raw
    shape = request.endpoint.shape.removesuffix(".count")
    try:
        if shape == "openai.chat" and "messages" in raw:
            return {"messages": _messages(raw["messages"], variant)}
        if shape == "openai.responses":
            return {"instructions": _joined(raw.get("instructions", b""), variant)}
        if shape == "anthropic":
            return {"system": _blocks(raw.get("system", b""), variant, {"type": "text"})}
        if shape == "converse":
            return {"system": _blocks(raw.get("system", b""), variant, {})}
        if shape == "gemini" and request.endpoint.task == "chat":
            name = "system_instruction" if "system_instruction" in raw else "systemInstruction"
            return {name: _parts(raw.get(name, b""), variant)}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}  # the upstream will say what is wrong with it
    return {}


def _messages(text: bytes, variant: PromptVariant) -> bytes:
    turns = _raws(text)
    leading = 0
    role = "system"
    for turn in turns:
        said = _turn(bytes(turn)).role
        if said not in _SYSTEM_ROLES:
            break
        role = said if not leading else role
        leading += 1
    own = turns[:leading] if variant.system is None else []

    def message(words: str) -> Raw:
        return Raw(_encode({"role": role, "content": words}))

    before = [message(words) for words in variant.leads()]
    after = [message(variant.suffix)] if variant.suffix else []
    return _encode([*before, *own, *after, *turns[leading:]])


def _joined(text: bytes, variant: PromptVariant) -> bytes:
    own = _text(text) if text not in _NOTHING and variant.system is None else ""
    return _encode(_GAP.join([words for words in (*variant.leads(), own, variant.suffix) if words]))


def _blocks(text: bytes, variant: PromptVariant, kind: dict[str, str]) -> bytes:
    own: list[Raw] = []
    if text not in _NOTHING and variant.system is None:
        if text.startswith(b'"'):
            return _joined(text, variant)
        own = _raws(text)
    return _encode(_around(own, variant, kind))


def _parts(text: bytes, variant: PromptVariant) -> bytes:
    own: list[Raw] = []
    if text not in _NOTHING and variant.system is None:
        own = _instruction(text).parts
    return _encode({"parts": _around(own, variant, {})})


def _around(own: list[Raw], variant: PromptVariant, kind: dict[str, str]) -> list[Raw]:
    def block(words: str) -> Raw:
        return Raw(_encode({**kind, "text": words}))

    after = [block(variant.suffix)] if variant.suffix else []
    return [*[block(words) for words in variant.leads()], *own, *after]
