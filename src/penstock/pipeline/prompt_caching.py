"""Tells a target what of a prompt to cache, before an attempt is sent to it.

Only for targets whose route says `prompt_cache`. Clients that mark blocks or name a key are left alone.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import msgspec

from penstock.core.errors import Refusal
from penstock.core.exchange import RequestFacts, Subject
from penstock.core.prompt_cache import PromptCacheRule, ends
from penstock.core.prompt_pieces import pieces_of, with_marks
from penstock.core.target import Target
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.translation import chat_of
from penstock.providers.prompt_marks import body_of
from penstock.shapes.openai_request import OpenAIRequest
from penstock.wire.json_fields import Fields, FieldsError, scan

NOTE = "prompt_cache"
_KEY = "prompt_cache_key"
_KEYED_SHAPES = frozenset({"openai.chat", "openai.responses"})
# What stands before the turns of a conversation, in the APIs that take a key.
_FRONT = ("tools", "instructions")


def told_what_to_cache(
    ctx: GatewayContext,
    request: OpenAIRequest,
    target: Target,
    facts: RequestFacts,
    subject: Subject,
    notes: dict[str, str],
) -> OpenAIRequest:
    """The request with marks or a key for this target; the same one where there is nothing to be said."""
    rule, fields = target.prompt_cache, request.fields
    if rule is None or fields is None or request.endpoint.task != "chat":
        return request
    # Vendors keep caches apart by account, models and what is behind one credential share none.
    place = f"{subject.org}/{target.id}"
    if rule.style == "key":
        return _keyed(request, fields, place, facts)
    least = int(rule.min_tokens * ctx.learned_of(target.id).chars_per_token)
    if request.prompt_chars < least:
        return request
    now = ctx.clock.monotonic()
    if request.endpoint.shape in target.speaks and request.endpoint.shape in ("anthropic", "converse"):
        return _marked_body(ctx, request, fields, place, rule, least, now, notes)
    try:
        chat = chat_of(request)
    except Refusal:
        return request  # whoever encodes it will say so
    pieces = pieces_of(chat)
    if pieces.prompt.marked():
        return request
    marks = ctx.prefixes.choose(ends(pieces.prompt), place, rule, least, now)
    if not marks:
        return request
    notes[NOTE] = ",".join([mark.level for mark in marks])
    return replace(request, chat=with_marks(chat, pieces, marks, rule.ttl_s))


def _marked_body(
    ctx: GatewayContext,
    request: OpenAIRequest,
    fields: Fields,
    place: str,
    rule: PromptCacheRule,
    least: int,
    now: float,
    notes: dict[str, str],
) -> OpenAIRequest:
    # `cache_control` at the top lets the vendor place the marks itself.
    body = body_of(fields, request.endpoint.shape) if "cache_control" not in fields.raw else None
    if body is None or body.prompt.marked():
        return request
    marks = ctx.prefixes.choose(ends(body.prompt), place, rule, least, now)
    if not marks:
        return request
    try:
        patched = scan(fields.patch(body.edits(marks, rule.ttl_s)))
    except FieldsError:
        return request  # a block that says something twice: its vendor decides what it means
    notes[NOTE] = ",".join([mark.level for mark in marks])
    return replace(request, fields=patched, chat=None)


def _keyed(request: OpenAIRequest, fields: Fields, place: str, facts: RequestFacts) -> OpenAIRequest:
    """Equal prefixes go to the same machine: those of a session, else those with the same front."""
    if request.endpoint.shape not in _KEYED_SHAPES:
        return _keyed_chat(request, place, facts)
    if _KEY in fields.raw:
        return request
    front = facts.session.encode() or b"".join([fields.raw.get(name, b"") for name in _FRONT])
    key = _key_of(place, front or _first_turn(fields))
    return replace(request, fields=scan(fields.patch({_KEY: msgspec.json.encode(key)})), chat=None)


def _keyed_chat(request: OpenAIRequest, place: str, facts: RequestFacts) -> OpenAIRequest:
    try:
        chat = chat_of(request)
    except Refusal:
        return request
    if chat.cache_key is not None:
        return request
    front = facts.session.encode() or msgspec.json.encode((chat.tools, chat.messages[:1]))
    return replace(request, chat=msgspec.structs.replace(chat, cache_key=_key_of(place, front)))


def _first_turn(fields: Fields) -> bytes:
    try:
        turns = msgspec.json.decode(fields.raw.get("messages", b"[]"), type=list[msgspec.Raw])
    except msgspec.DecodeError:
        return b""
    return bytes(turns[0]) if turns else b""


def _key_of(place: str, front: bytes) -> str:
    return blake2b(front, key=place.encode()[:64], digest_size=16).hexdigest()
