"""Whether two requests ask the same: a canonical form of what was asked, in no dialect's words.

The form is that of the pivot (core/chat.py), into which every dialect is decoded, with what cannot change the
answer left out: how it is to be delivered (`stream`), on whose behalf (`user`, `metadata`), what the vendor may
keep or cache (`store`, cache hints) and in which lane it runs (`service_tier`). Everything else counts, fields
that only one API knows included; a value that nobody understands makes a difference rather than none.
The model is left out, too: an entry's key has the route that the name leads to.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple, cast

import msgspec
from msgspec.structs import replace

from penstock.core.chat import ChatRequest
from penstock.core.embedding import EmbedRequest
from penstock.core.parts import CacheHint, Extras, Text
from penstock.core.rerank import RerankRequest

DIGEST_BYTES = 32
# Of fields that only one shape knows: those that say how an answer is delivered, or on whose behalf.
_DELIVERY = frozenset(
    {
        "model", "stream", "stream_options", "~stream", "safety_identifier", "prompt_cache_retention",
        "prompt_cache_key", "cache_control",
    }
)  # fmt: skip
# By these a dialect's encoder knows in which of two ways the same thing was written.
_MARKS = frozenset({"~cap", "~input", "~form", "~content", "~place", "~instructions", "~snake"})
# And these are where what a dialect says elsewhere would stand: nothing where they are empty.
_FRAMES = frozenset({"~config", "~call", "~data", "inference", "rest"})
_NONE: frozenset[str] = frozenset()
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Question(NamedTuple):
    """The last turn of the user in plain text, and the digest of everything before and around it."""

    text: str
    context: bytes


def chat_form(chat: ChatRequest) -> bytes:
    """The canonical form of a conversation."""
    return _encode(_bare(chat))


def question_of(chat: ChatRequest) -> Question | None:
    """A conversation as its last turn and the rest; None where the last turn is not a user's text alone."""
    last = chat.messages[-1] if chat.messages else None
    if last is None or last.role != "user":
        return None
    texts = [part.text for part in last.parts if isinstance(part, Text)]
    if not texts or len(texts) != len(last.parts):
        return None
    bare = _bare(chat)
    emptied = replace(bare.messages[-1], parts=())
    context = _encode(replace(bare, messages=(*bare.messages[:-1], emptied)))
    return Question("\n".join(texts), digest(context))


def embed_form(wish: EmbedRequest) -> bytes:
    """The canonical form of a request for vectors."""
    return _encode(replace(wish, model="", user=None, metadata=None, extras=_extras(wish.extras, _DELIVERY)))


def rerank_form(wish: RerankRequest) -> bytes:
    """The canonical form of a request to order documents."""
    return _encode(replace(wish, model="", user=None, metadata=None, extras=_extras(wish.extras, _DELIVERY)))


def json_form(body: dict[str, Any]) -> bytes:
    """The canonical form of a request in an API that is not translated."""
    return _encode({name: value for name, value in body.items() if name not in ("model", "user")})


def digest(form: bytes) -> bytes:
    """The digest of a canonical form."""
    return blake2b(form, digest_size=DIGEST_BYTES).digest()


def entry_key(parts: list[bytes]) -> bytes:
    """The key of a cache entry: parts in order, each with its length, so that none runs into the next."""
    state = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        state.update(b"%d:" % len(part) + part)
    return state.digest()


def _bare(chat: ChatRequest) -> ChatRequest:
    """The conversation without what cannot change the answer."""
    return replace(
        chat,
        model="",
        messages=tuple([_plain(each) for each in chat.messages]),
        tools=tuple([_plain(each) for each in chat.tools]),
        tool_choice=_plain(chat.tool_choice),
        output=_plain(chat.output),
        reasoning=_plain(chat.reasoning),
        temperature=_number(chat.temperature),
        top_p=_number(chat.top_p),
        frequency_penalty=_number(chat.frequency_penalty),
        presence_penalty=_number(chat.presence_penalty),
        choices=None if chat.choices == 1 else chat.choices,
        stream=False,
        service_tier=None,
        user=None,
        metadata=None,
        cache_key=None,
        store=None,
        extras=_extras(chat.extras, _DELIVERY),
    )


def _number(value: float | None) -> float | None:
    """1 and 1.0 are the same."""
    return float(value) if value is not None else None


def _plain(value: Any) -> Any:
    """A piece of the pivot without cache hints, and without marks of how its dialect wrote it."""
    if isinstance(value, Extras):
        return _extras(value, _NONE)
    if isinstance(value, tuple):
        pieces = cast("tuple[Any, ...]", value)
        plain = tuple([_plain(each) for each in pieces])
        return plain if any(new is not old for new, old in zip(plain, pieces, strict=True)) else pieces
    if isinstance(value, msgspec.Struct):
        changes: dict[str, Any] = {}
        for name in value.__struct_fields__:
            old = getattr(value, name)
            new = None if isinstance(old, CacheHint) else _plain(old)
            if new is not old:
                changes[name] = new
        return replace(value, **changes) if changes else value
    return value


def _extras(extras: Extras | None, dropped: frozenset[str]) -> Extras | None:
    if extras is None:
        return None
    fields = {
        name: value
        for name, value in extras.fields.items()
        if name not in _MARKS and name not in dropped and not (name in _FRAMES and not value)
    }
    return Extras(extras.shape, fields) if fields else None
