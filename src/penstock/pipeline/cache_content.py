"""What a request asks, for the cache: its fingerprint, and what the shipped rules say of it."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from penstock.core.cache_rules import of_the_time, personal
from penstock.core.chat import ChatRequest, OpaqueTool
from penstock.core.errors import Refusal, ShapeError
from penstock.core.fingerprint import (
    Question,
    chat_form,
    digest,
    embed_form,
    json_form,
    question_of,
    rerank_form,
)
from penstock.core.parts import Text
from penstock.dialects.registry import embed_dialect, rerank_dialect
from penstock.pipeline.translation import body_of, chat_of
from penstock.shapes.openai_request import OpenAIRequest

MOST_KNOWN = 8192
# Bodies whose fingerprint costs more than it may save on the event loop.
MAX_BODY_BYTES = 4_000_000


class Content:
    """A request's fingerprint. `timely`, `personal`: what the rules say of its last turn.

    `acts`: it has a vendor's own tools, which look at the world or change it. `question`: for the semantic
    look-up, None where that cannot be asked.
    """

    __slots__ = ("acts", "digest", "personal", "question", "timely")

    def __init__(
        self, found: bytes, *, timely: bool, personal: bool, acts: bool, question: Question | None
    ) -> None:
        self.digest = found
        self.timely = timely
        self.personal = personal
        self.acts = acts
        self.question = question


class Contents:
    """Fingerprints by the bytes they were made of: the same client tends to send the same bytes."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, Content] = {}

    def of(self, request: OpenAIRequest) -> Content | None:
        """The fingerprint; None for what is no question that could be asked twice, or cannot be read."""
        fields = request.fields
        if fields is None or len(fields.body) > MAX_BODY_BYTES:
            return None
        endpoint = request.endpoint
        at = blake2b(fields.body, digest_size=32, person=endpoint.shape[:16].encode()).digest()
        found = self._known.get(at)
        if found is None:
            try:
                found = content_of(request)
            except (Refusal, ShapeError, msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
                return None  # the upstream will say what is wrong with it
            if found is not None:
                if len(self._known) >= MOST_KNOWN:
                    del self._known[next(iter(self._known))]
                self._known[at] = found
        return found


def content_of(request: OpenAIRequest) -> Content | None:
    """Work it out. Raises Refusal, ShapeError, msgspec.MsgspecError."""
    endpoint = request.endpoint
    if endpoint.task == "chat":
        chat = chat_of(request)
        # Completions have no turns: the same text there is another question.
        family = b"completions" if endpoint.shape == "openai.completions" else b"chat"
        text = last_turn(chat)
        return Content(
            digest(family + chat_form(chat)),
            timely=of_the_time(text),
            personal=personal(text),
            acts=any(isinstance(tool, OpaqueTool) for tool in chat.tools),
            question=question_of(chat),
        )
    form = _vector_form(request)
    if form is None:
        return None
    return Content(digest(form), timely=False, personal=False, acts=False, question=None)


def _vector_form(request: OpenAIRequest) -> bytes | None:
    endpoint = request.endpoint
    if endpoint.task == "embed":
        return b"embed" + embed_form(
            embed_dialect(endpoint.shape).decode_request(body_of(request), request.model)
        )
    if endpoint.task == "rerank":
        return b"rerank" + rerank_form(
            rerank_dialect(endpoint.shape).decode_request(body_of(request), request.model)
        )
    return b"moderations" + json_form(body_of(request)) if endpoint.name == "moderations" else None


def last_turn(chat: ChatRequest) -> str:
    """What the user said last."""
    for message in reversed(chat.messages):
        if message.role == "user":
            texts = [part.text for part in message.parts if isinstance(part, Text)]
            if texts:
                return "\n".join(texts)
    return ""
