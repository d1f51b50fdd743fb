"""Answers that must obey a schema: the cursor that looks at them, and answers that are written anew."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from penstock.core.assemble import tell
from penstock.core.chat import ChatReply
from penstock.core.compress_rule import CompressRule
from penstock.core.errors import Refusal
from penstock.core.events import Frame
from penstock.core.exchange import RequestFacts
from penstock.core.itinerary import Cursor
from penstock.core.structured import Again, StructuredRule, asked_again, wants_structure
from penstock.dialects.registry import chat_dialect
from penstock.pipeline.compressing import shortened_request
from penstock.pipeline.translation import asked, chat_of
from penstock.routing.policies.structured import StructuredCursor
from penstock.routing.walk import Walk
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.attempt import Attempt
from penstock.upstream.client_framing import ClientFraming

_encode = msgspec.json.Encoder().encode


def looking_at_structure(
    cursor: Cursor, walk: Walk, rule: StructuredRule | None, request: OpenAIRequest
) -> Cursor:
    """The policy's cursor, with an eye on its answers where the request says what form they have."""
    if rule is None or request.fields is None or request.endpoint.task != "chat" or request.choices != 1:
        return cursor
    try:
        chat = chat_of(request)
    except Refusal:
        return cursor  # whoever encodes it will say so
    return StructuredCursor(cursor, walk, rule, chat) if wants_structure(chat) else cursor


def reworded(
    request: OpenAIRequest, again: Again | None, rule: CompressRule | None, notes: dict[str, str]
) -> OpenAIRequest:
    """The request shortened, and with an answer that would not do behind it; then it is written by us."""
    if rule is not None:
        request = shortened_request(request, rule, notes)
    return request if again is None else _with_again(request, again)


def _with_again(request: OpenAIRequest, again: Again) -> OpenAIRequest:
    chat = asked_again(chat_of(request), again)
    more = sum(len(problem) for problem in again.problems) + len(_encode(again.said))
    return replace(request, chat=chat, rewritten=True, prompt_chars=request.prompt_chars + more)


def rewrite(attempt: Attempt, reply: ChatReply, facts: RequestFacts, query: bytes) -> None:
    """Put another answer in place of the one that the attempt holds."""
    request = attempt.request
    dialect = chat_dialect(request.endpoint.shape)
    told = asked(request, chat_of(request), facts)
    if attempt.reader is None:
        attempt.kept, attempt.last = [], _encode(dialect.encode_reply(reply, told))
        return
    encoder, framing = dialect.stream(told), ClientFraming(request.endpoint.framed(query))
    attempt.kept = [framing.frame(encoder.write(Frame(events=tuple(tell(reply)))))]
    attempt.last = framing.frame(encoder.end()) + framing.close()
