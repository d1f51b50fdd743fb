"""One reply for each feature that an answer can have, and how to see whether it is still there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.core.chat import ChatReply, Choice, FinishReason, Logprobs, ReplyUsage, TokenLogprob
from penstock.core.parts import (
    Audio,
    Citation,
    Image,
    Inline,
    Opaque,
    Part,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.core.usage import Usage

Read = Callable[[ChatReply], Any]


@dataclass(frozen=True)
class Probe:
    """`read` sees the feature in a reply; `instead` says what stands for it where it is not there itself."""

    feature: str
    reply: ChatReply
    read: Read
    instead: Callable[[ChatReply], str] = lambda _: ""


CALL = ToolCall("call_1", "weather", '{"city":"Oslo"}')
_USAGE = Usage(input_tokens=100, output_tokens=50)


def _parts(reply: ChatReply) -> tuple[Part, ...]:
    return reply.choices[0].parts if reply.choices else ()


def _of(kind: type[Part], read: Callable[[Any], Any]) -> Read:
    return lambda reply: [read(part) for part in _parts(reply) if isinstance(part, kind)]


def _reply(*parts: Part, finish: FinishReason = "stop", usage: Usage = _USAGE, **fields: Any) -> ChatReply:
    choice = Choice(0, parts, finish, **fields)
    return ChatReply(id="r", model="m", created_s=1, choices=(choice,), usage=ReplyUsage(usage))


def _words(reply: ChatReply) -> str:
    return "text" if any(isinstance(part, Text) and part.text for part in _parts(reply)) else ""


def _finish(reply: ChatReply) -> str:
    return reply.choices[0].finish or "" if reply.choices else ""


def _usage(name: str) -> Read:
    return lambda reply: getattr(reply.usage.counts, name) if reply.usage is not None else 0


def _contents() -> list[Probe]:
    call = _of(ToolCall, lambda part: (part.name, part.arguments.replace(" ", "")))
    custom = ToolCall("call_1", "shell", "ls -l", "custom")
    wave = Audio(Inline("audio/wav", "AAAA"), "wav", "Hello.", "audio_1")
    picture = Image(Inline("image/png", "AAAA"))
    signed = Thinking("I think.", Signature("anthropic", "c2VhbA=="))
    sealed = Thinking("", None, Signature("anthropic", "c2VjcmV0"))
    cited = Text("So it is.", (Citation(url="https://example.org/a", title="A", start=0, end=5),))
    return [
        Probe("text", _reply(Text("Hello.")), _of(Text, lambda part: part.text)),
        Probe(
            "refusal", _reply(Refused("I cannot."), finish="refusal"), _of(Refused, lambda p: p.text), _words
        ),
        Probe("tool_call", _reply(CALL, finish="tool_calls"), call),
        Probe("tool_call.id", _reply(CALL, finish="tool_calls"), _of(ToolCall, lambda part: part.id)),
        Probe(
            "tool_call.custom",
            _reply(custom, finish="tool_calls"),
            _of(ToolCall, lambda part: (part.type, part.arguments)),
            lambda reply: "function" if call(reply) == [("shell", '{"input":"ls-l"}')] else "",
        ),
        Probe("thinking", _reply(Thinking("I think."), Text("So.")), _of(Thinking, lambda part: part.text)),
        Probe(
            "thinking.signature",
            _reply(signed, CALL, finish="tool_calls"),
            _of(Thinking, lambda p: p.signature),
        ),
        Probe(
            "thinking.encrypted", _reply(sealed, CALL, finish="tool_calls"), _of(Thinking, lambda p: p.sealed)
        ),
        Probe(
            "tool_call.signature",
            _reply(
                ToolCall("call_1", "f", "{}", signature=Signature("gemini", "c2VhbA==")), finish="tool_calls"
            ),
            _of(ToolCall, lambda part: part.signature),
        ),
        Probe("citation.url", _reply(cited), _of(Text, lambda part: [each.url for each in part.citations])),
        Probe(
            "citation.place",
            _reply(cited),
            _of(Text, lambda part: [(each.start, each.end) for each in part.citations]),
        ),
        Probe("image", _reply(picture), _of(Image, lambda part: part.source)),
        Probe(
            "audio", _reply(wave), _of(Audio, lambda p: isinstance(p.source, Inline) and p.source.data), _words
        ),
        Probe("audio.transcript", _reply(wave), _of(Audio, lambda part: part.transcript), _words),
        Probe(
            "built_in_tool",
            _reply(Opaque("mistral", {"type": "tool_reference", "tool": "web_search"}), Text("So.")),
            _of(Opaque, lambda part: part.value),
        ),
    ]


def _reasons() -> list[Probe]:
    names: tuple[FinishReason, ...] = (
        "stop",
        "stop_sequence",
        "length",
        "content_filter",
        "refusal",
        "pause",
        "error",
        "other",
    )
    probes = [Probe(f"finish.{each}", _reply(Text("So."), finish=each), _finish, _finish) for each in names]
    probes.append(Probe("finish.tool_calls", _reply(CALL, finish="tool_calls"), _finish, _finish))
    told = _reply(Refused("I cannot."), finish="refusal")
    probes.append(Probe("finish.refusal_in_words", told, _finish, _finish))
    which = _reply(Text("So."), finish="stop_sequence", stop_sequence="END")
    probes.append(Probe("stop_sequence", which, lambda reply: reply.choices[0].stop_sequence))
    return probes


def _counts() -> list[Probe]:
    every: dict[str, dict[str, int]] = {
        "input": {},
        "output": {},
        "cache_read": {"cache_read_tokens": 7},
        "cache_write": {"cache_write_tokens": 7},
        "cache_write_1h": {"cache_write_tokens": 9, "cache_write_1h_tokens": 7},
        "reasoning": {"reasoning_tokens": 7},
        "audio_input": {"audio_input_tokens": 7},
        "audio_output": {"audio_output_tokens": 7},
        "image_input": {"image_input_tokens": 7},
        "image_output": {"image_output_tokens": 7},
    }
    return [
        Probe(
            f"usage.{name}",
            _reply(Text("So."), usage=Usage(input_tokens=100, output_tokens=50, **more)),
            _usage(f"{name}_tokens"),
        )
        for name, more in every.items()
    ]


def _rest() -> list[Probe]:
    two = (Choice(0, (Text("One."),), "stop"), Choice(1, (Text("Two."),), "stop"))
    tokens = Logprobs((TokenLogprob("So", -0.5, (("So", -0.5), ("Thus", -1.5))), TokenLogprob(".", -0.25)))
    spoken = _reply(Text("So."), logprobs=tokens)
    return [
        Probe(
            "choices",
            ChatReply(id="r", model="m", created_s=1, choices=two, usage=ReplyUsage(_USAGE)),
            lambda reply: len(reply.choices),
        ),
        Probe("logprobs", spoken, lambda reply: _logprobs(reply, alternatives=False)),
        Probe("logprobs.top", spoken, lambda reply: _logprobs(reply, alternatives=True)),
        Probe(
            "service_tier",
            ChatReply(id="r", model="m", choices=(Choice(0, (Text("So."),), "stop"),), service_tier="priority"),
            lambda reply: reply.service_tier,
        ),
    ]


def _logprobs(reply: ChatReply, *, alternatives: bool) -> Any:
    found = reply.choices[0].logprobs
    if found is None:
        return None
    return [(each.token, each.logprob, each.top if alternatives else ()) for each in found.tokens]


PROBES = (*_contents(), *_reasons(), *_counts(), *_rest())
