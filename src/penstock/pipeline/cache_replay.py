"""A kept answer in the words and the framing of whoever asks now: as it was kept, or worked out from that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from penstock.core.assemble import tell
from penstock.core.chat import ChatReply
from penstock.core.errors import Refusal, ShapeError
from penstock.core.events import ArgumentsDelta, Event, Frame, TextDelta
from penstock.core.exchange import RequestFacts
from penstock.core.kept import Kept
from penstock.dialects.registry import chat_dialect, embed_dialect
from penstock.pipeline.read_back import api_of, reply_from
from penstock.pipeline.translation import asked, body_of, chat_of
from penstock.ports.vectors import EmbedAsked
from penstock.providers.registry import embed_provider
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.client_framing import ClientFraming

# About a line of text in each event: what a client shows grows visibly, without an event for every word.
PIECE_CHARS = 64
_TELLS_USAGE = ("openai.chat", "openai.completions")
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Form:
    """How an answer is written: the API whose shape it has, its framing, whether a stream tells its usage."""

    __slots__ = ("api", "framing", "with_usage")

    def __init__(self, api: str, framing: str, *, with_usage: bool) -> None:
        self.api = api
        self.framing = framing
        self.with_usage = with_usage

    def is_of(self, kept: Kept) -> bool:
        """Whether an entry is written like that."""
        return kept.api == self.api and kept.framing == self.framing and kept.with_usage == self.with_usage

    @property
    def key(self) -> bytes:
        """It as a part of a key."""
        return f"{self.api} {self.framing} {self.with_usage}".encode()


def form_for(request: OpenAIRequest, query: bytes) -> Form:
    """The form that a request's answer has."""
    endpoint = request.endpoint
    api = api_of(endpoint) if endpoint.task == "chat" else endpoint.shape
    framing: str = endpoint.framed(query) if request.stream else ""
    shown = bool(framing) and api in _TELLS_USAGE and request.wants_usage
    return Form(api, framing, with_usage=shown)


def content_type(form: Form) -> bytes:
    """The value of its content-type."""
    return framing_of(form).content_type if form.framing else b"application/json"


def framing_of(form: Form) -> ClientFraming:
    """What frames its stream."""
    if form.framing == "aws":
        return ClientFraming("aws")
    return ClientFraming("json_array" if form.framing == "json_array" else "sse")


def rendered(kept: Kept, form: Form, request: OpenAIRequest, facts: RequestFacts) -> bytes | None:
    """The entry's answer in another form than its own; None where it cannot be had."""
    try:
        if request.endpoint.task == "chat":
            reply = reply_from(kept.api, kept.framing, kept.body)
            return _chat(reply, form, request, facts) if reply is not None else None
        if request.endpoint.task == "embed":
            return _vectors(kept, request, facts)
    except (Refusal, ShapeError, msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return None
    return None


def _chat(reply: ChatReply, form: Form, request: OpenAIRequest, facts: RequestFacts) -> bytes:
    dialect = chat_dialect(request.endpoint.shape)
    told = asked(request, chat_of(request), facts)
    if not form.framing:
        return _encode(dialect.encode_reply(reply, told))
    framing = framing_of(form)
    encoder = dialect.stream(told)
    pieces = [framing.frame(encoder.write(Frame(events=(event,)))) for event in in_pieces(reply)]
    return b"".join([*pieces, framing.frame(encoder.end()), framing.close()])


def in_pieces(reply: ChatReply) -> Iterator[Event]:
    """A reply as the events of a stream, long texts cut between words."""
    for event in tell(reply):
        if isinstance(event, TextDelta | ArgumentsDelta) and len(event.text) > PIECE_CHARS:
            for piece in cut(event.text):
                yield msgspec.structs.replace(event, text=piece)
        else:
            yield event


def cut(text: str) -> Iterator[str]:
    """Pieces of about `PIECE_CHARS`, each but the last ending behind a space where there is one."""
    at = 0
    while at < len(text):
        end = at + PIECE_CHARS
        if end < len(text):
            space = text.rfind(" ", at, end)
            end = space + 1 if space >= at + PIECE_CHARS // 2 else end
        yield text[at:end]
        at = end


def _vectors(kept: Kept, request: OpenAIRequest, facts: RequestFacts) -> bytes:
    dialect = embed_dialect(request.endpoint.shape)
    wish = dialect.decode_request(body_of(request), request.model)
    reply = embed_provider(kept.api).decode_reply(_decode(kept.body), wish)
    return _encode(dialect.encode_reply(reply, EmbedAsked(wish, facts.model, facts.request_id)))
