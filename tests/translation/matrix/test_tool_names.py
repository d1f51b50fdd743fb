"""Tools keep their caller's names, whatever a vendor takes as one: there and back, whole and streamed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.assemble import tell
from penstock.core.chat import ChatReply, ChatRequest, Choice, FunctionTool, Message, ReplyUsage, ToolChoice
from penstock.core.events import Frame
from penstock.core.losses import Losses
from penstock.core.origin import Origin
from penstock.core.parts import Part, Text, ToolCall, ToolResult
from penstock.core.profile import Profile
from penstock.core.target import Target
from penstock.core.tool_names import NameRule, vendor_names, with_names
from penstock.core.usage import Usage
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Addressee
from penstock.providers.registry import chat_provider
from penstock.shapes.converse.framing import to_bytes
from penstock.upstream.client_framing import ClientFraming
from penstock.upstream.framing import framer, opened
from penstock.upstream.translated_codec import TranslatedCodec
from tests.translation.matrix.classify import reader_of
from tests.translation.matrix.sides import TARGETS, asked, folded, profile_of

CLIENTS = ("openai.chat", "openai.responses", "anthropic", "gemini", "converse")
# Three that look the same once what is foreign in them is replaced, one too long everywhere, one that is fine.
NAMES = ("files.read", "files read", "files/read", "größe", "1st", "x" * 129, "y-" * 40, "fine_name")
# As the vendors write it; see providers/*/api.py for where.
ALLOWED = {
    "openai.chat": r"[a-zA-Z0-9_-]{1,64}",
    "openai.responses": r"[a-zA-Z0-9_-]{1,64}",
    "anthropic": r"[a-zA-Z0-9_-]{1,128}",
    "gemini": r"[a-zA-Z_][a-zA-Z0-9_:.-]{0,63}",
    "converse": r"[a-zA-Z0-9_-]{1,64}",
    "cohere": r"[a-zA-Z_][a-zA-Z0-9_]*",
    "mistral": r"[a-zA-Z0-9_-]{1,64}",
    "ollama": r".+",
}
PAIRS = [(client, target) for client in CLIENTS for target in TARGETS if client != target]


def _question(client: str) -> ChatRequest:
    """What a client sends, read by its dialect."""
    calls: tuple[Part, ...] = tuple([ToolCall(f"call_{at}", name, "{}") for at, name in enumerate(NAMES)])
    results: tuple[Part, ...] = tuple(
        [ToolResult(f"call_{at}", name, (Text("done"),)) for at, name in enumerate(NAMES)]
    )
    request = ChatRequest(
        model="a-route",
        messages=(Message("user", (Text("Go."),)), Message("assistant", calls), Message("tool", results)),
        tools=tuple([FunctionTool(name, "A tool", {"type": "object", "properties": {}}) for name in NAMES]),
        tool_choice=ToolChoice("named", NAMES[0]),
        max_output_tokens=100,
        stream=True,
    )
    body = chat_provider(client).encode_request(request, Addressee("a-route", Profile(), Losses()))
    return chat_dialect(client).decode_request(json.loads(json.dumps(body)), "a-route", stream=True)


def _codec(client: str, target: str) -> TranslatedCodec:
    at = Target(
        id="t", provider="p", kind="k", model="m", model_json=b'"m"', origin=Origin("http", "127.0.0.1", 1),
        base_path=b"", auth=b"", secrets=(), api=target, profile=profile_of(target),
    )  # fmt: skip
    framing = ClientFraming("aws" if client == "converse" else "sse")
    request = _question(client)
    return TranslatedCodec(
        request, asked(request), at, chat_dialect(client), chat_provider(target), framing, "map"
    )


def _told(codec: TranslatedCodec, target: str) -> list[str]:
    """The names in the body that goes to the vendor, those of its history and its choice among them."""
    request = reader_of(target).decode_request(json.loads(codec.body(None)), "m", stream=True)
    tools = [tool.name for tool in request.tools if isinstance(tool, FunctionTool)]
    parts = [part for message in request.messages for part in message.parts]
    called = [part.name for part in parts if isinstance(part, ToolCall)]
    answered = [part.name for part in parts if isinstance(part, ToolResult) and part.name]
    assert set(answered) <= set(called)
    if request.tool_choice is not None and request.tool_choice.name:
        assert request.tool_choice.name == called[0]
    assert set(tools) <= set(called)
    return called


def _answer(names: list[str]) -> ChatReply:
    parts: tuple[Part, ...] = tuple([ToolCall(f"call_{at}", name, "{}") for at, name in enumerate(names)])
    choice = Choice(0, parts, "tool_calls")
    return ChatReply(id="r", model="m", created_s=1, choices=(choice,), usage=ReplyUsage(Usage(1, 1)))


def _called(reply: ChatReply) -> list[str]:
    return [part.name for part in reply.choices[0].parts if isinstance(part, ToolCall)]


def _wire(target: str, reply: ChatReply) -> bytes:
    """The vendor's stream, as bytes."""
    encoder = reader_of(target).stream(asked())
    events = [event for told in tell(reply) for event in encoder.write(Frame("", (told,)))] + encoder.end()
    framing = chat_provider(target).framing
    if framing == "sse":
        return ClientFraming("sse").frame(events)
    return b"".join([to_bytes(each) if framing == "aws" else each.data + b"\n" for each in events])


@pytest.mark.parametrize(("client", "target"), PAIRS)
def test_a_vendor_is_told_names_that_it_takes_and_the_client_hears_its_own(client: str, target: str) -> None:
    """In tools, choice and history; in calls, whole and streamed."""
    codec = _codec(client, target)
    told = _told(codec, target)
    assert len(set(told)) == len(NAMES)
    assert [name for name in told if not re.fullmatch(ALLOWED[target], name)] == []
    assert told[-1] == NAMES[-1]

    reply = _answer(told)
    vendors: Any = reader_of(target).encode_reply(reply, asked())
    whole = json.loads(codec.whole(json.dumps(vendors).encode()).out)
    assert _called(chat_provider(client).decode_reply(whole)) == list(NAMES)

    cutter, reader = codec.stream()
    out = b""
    for event in cutter.feed(_wire(target, reply)):
        reader.read(event)
        out += reader.out
    out += reader.rest()
    framing = chat_provider(client).framing
    decoder = chat_provider(client).stream()
    wires = [opened(framing, event) for event in framer(framing).feed(out)]
    frames = [decoder.read(wire.name, wire.data) for wire in wires if wire.data]
    assert _called(folded(frames)) == list(NAMES)


_RULES = [
    rule for target in TARGETS if (rule := chat_provider(target).names) is not None
]  # fmt: skip


@pytest.mark.parametrize("rule", _RULES)
@given(st.lists(st.text(alphabet="ab.-_1é \ud800", max_size=200), unique=True, max_size=6))
def test_names_are_allowed_and_apart_and_lead_back(rule: NameRule, names: list[str]) -> None:
    """Whatever callers name their tools; a name that is allowed is not touched."""
    request = ChatRequest(model="m", tools=tuple([FunctionTool(name) for name in names]))
    found = vendor_names(request, rule)
    told = [tool.name for tool in with_names(request, found).tools if isinstance(tool, FunctionTool)]
    assert all(rule.allows(name) for name in told)
    assert len(set(told)) == len(names)
    assert [name for name in names if rule.allows(name)] == [name for name in names if name not in found]


def test_a_name_is_the_same_in_every_turn_and_gives_way_to_one_that_is_taken() -> None:
    """What else is asked for does not matter, unless it is that very name."""
    rule = NameRule(64)
    made = vendor_names(ChatRequest(model="m", tools=(FunctionTool("a.b"),)), rule)["a.b"]
    assert made.startswith("a_b_")
    more = ChatRequest(model="m", tools=(FunctionTool("c"), FunctionTool("a.c"), FunctionTool("a.b")))
    assert vendor_names(more, rule)["a.b"] == made
    taken = ChatRequest(model="m", tools=(FunctionTool("a.b"), FunctionTool(made)))
    assert vendor_names(taken, rule)["a.b"] not in (made, "a.b")
