"""What really becomes of each probe: the measured loss table."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from penstock.core.assemble import tell
from penstock.core.chat import ChatReply, ChatRequest, Choice, Reasoning
from penstock.core.events import Broke, Frame, LogprobsAdded, TextDelta
from penstock.core.losses import Losses
from penstock.dialects.cohere.dialect import CohereDialect
from penstock.dialects.ollama.dialect import OllamaDialect
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Addressee, ChatDialect
from penstock.providers.registry import chat_provider
from tests.translation.matrix import reply_probes, request_probes
from tests.translation.matrix.history import WITH_HISTORY, next_turn
from tests.translation.matrix.sides import (
    DIALECTS,
    TARGETS,
    asked,
    folded,
    profile_of,
    retold,
    written_whole,
)

Table = dict[str, dict[str, str]]
# Google shows thoughts, and others logprobs, to whoever asked for them.
CURIOUS = asked(
    ChatRequest(model="a-route", reasoning=Reasoning(summary="auto"), logprobs=True, top_logprobs=2)
)


def _outcome(probe: reply_probes.Probe, back: ChatReply, again: Callable[[], ChatReply | None]) -> str:
    wanted = probe.read(probe.reply)
    if probe.read(back) == wanted:
        return "kept"
    if instead := probe.instead(back):
        return f"mapped: {instead}"
    returned = again()
    return "carried" if returned is not None and probe.read(returned) == wanted else "lost"


def _returned(shape: str, body: dict[str, Any]) -> ChatReply | None:
    """The answer as the next request tells it."""
    if shape not in WITH_HISTORY:
        return None
    request = chat_dialect(shape).decode_request({"model": "m", **next_turn(shape, body)}, "m", stream=False)
    parts = [part for message in request.messages if message.role == "assistant" for part in message.parts]
    return ChatReply(choices=(Choice(0, tuple(parts)),))


def reply_outcome(probe: reply_probes.Probe, shape: str) -> str:
    """What becomes of a reply's feature in a dialect, whole; the stream's outcome too where it differs."""
    body = written_whole(probe.reply, shape, CURIOUS)
    provider = chat_provider(shape)

    def again() -> ChatReply | None:
        return _returned(shape, body)

    whole = _outcome(probe, provider.decode_reply(body), again)
    back = retold(told_frames(probe.reply), shape, CURIOUS)
    streamed = _outcome(probe, folded(back), again)
    if streamed == "lost" and any(isinstance(event, Broke) for frame in back for event in frame.events):
        streamed = "mapped: error"
    return whole if whole == streamed else f"{whole} (streamed: {streamed})"


def told_frames(reply: ChatReply) -> list[Frame]:
    """A reply as the frames of a stream; log probabilities come with the text that they are of."""
    frames: list[Frame] = []
    texts: list[int] = []
    for event in tell(reply):
        if isinstance(event, LogprobsAdded) and texts:
            at = texts[-1]
            frames[at] = Frame("", (*frames[at].events, event))
            continue
        if isinstance(event, TextDelta):
            texts.append(len(frames))
        frames.append(Frame("", (event,)))
    return frames


def measured_replies() -> Table:
    """The table of replies."""
    return {
        probe.feature: {shape: reply_outcome(probe, shape) for shape in DIALECTS}
        for probe in reply_probes.PROBES
    }


def reader_of(shape: str) -> ChatDialect:
    """What reads a target's request again, as a client of the same API would have sent it."""
    if shape == "cohere":
        return CohereDialect()
    if shape == "ollama":
        return OllamaDialect()
    return chat_dialect("openai.chat" if shape == "mistral" else shape)


def request_outcome(probe: request_probes.Probe, shape: str) -> str:
    """What becomes of a request's feature on its way to a target of which nothing more is known."""
    losses = Losses("map")
    encoded = chat_provider(shape).encode_request(probe.request, Addressee("m", profile_of(shape), losses))
    back = reader_of(shape).decode_request(json.loads(json.dumps(encoded)), "m", stream=False)
    if losses.dropped:
        return "dropped"
    if probe.read(back) == probe.read(probe.request):
        return "kept"
    instead = probe.instead(back)
    if losses.mapped or instead:
        return f"mapped: {instead}" if instead else "mapped"
    return "lost"


def measured_requests() -> Table:
    """The table of requests."""
    return {
        probe.feature: {shape: request_outcome(probe, shape) for shape in TARGETS}
        for probe in request_probes.PROBES
    }
