"""One request for each feature that a question can have, and how to see whether it is still there."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from penstock.core.chat import (
    ChatRequest,
    FunctionTool,
    Message,
    OpaqueTool,
    OutputFormat,
    Reasoning,
    Role,
    ToolChoice,
)
from penstock.core.parts import (
    Audio,
    CacheHint,
    Document,
    FileRef,
    Image,
    Inline,
    Link,
    Part,
    Plain,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)

Read = Callable[[ChatRequest], Any]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = FunctionTool("weather", "The weather of a city", SCHEMA)
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJSVFT0YK"


@dataclass(frozen=True)
class Probe:
    """`read` sees the feature in a request; `instead` says what stands for it where it is not there itself."""

    feature: str
    request: ChatRequest
    read: Read
    instead: Callable[[ChatRequest], str] = lambda _: ""


def parts_of(request: ChatRequest, *roles: Role) -> list[Part]:
    """The parts of the messages of these roles, of all without any."""
    return [part for each in request.messages if not roles or each.role in roles for part in each.parts]


def _user(*parts: Part) -> Message:
    return Message("user", parts)


def ask(*messages: Message, **fields: Any) -> ChatRequest:
    """A request of the usual size."""
    told = messages or (_user(Text("Hello.")),)
    return ChatRequest(
        model="m", messages=told, max_output_tokens=fields.pop("max_output_tokens", 100), **fields
    )


def _field(name: str, value: Any) -> Probe:
    return Probe(name, ask(**{name: value}), lambda request: getattr(request, name))


def _of(kind: type[Part], read: Callable[[Any], Any]) -> Read:
    return lambda request: [read(part) for part in parts_of(request) if isinstance(part, kind)]


def _settings() -> list[Probe]:
    values: dict[str, Any] = {
        "max_output_tokens": 77,
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 5,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.5,
        "seed": 7,
        "stop": ("END",),
        "choices": 2,
        "logprobs": True,
        "logit_bias": {"50256": -100.0},
        "verbosity": "low",
        "user": "user-1",
        "metadata": {"order": "7"},
        "cache_key": "prefix-1",
        "store": False,
    }
    probes = [_field(name, value) for name, value in values.items()]
    top = ask(logprobs=True, top_logprobs=3)
    several = ask(stop=("A", "B", "C", "D", "E", "F"))
    tier = ask(service_tier="priority")
    probes += [
        Probe("service_tier", tier, lambda r: r.service_tier, lambda r: r.service_tier or ""),
        Probe("top_logprobs", top, lambda request: request.top_logprobs),
        Probe("stop.six", several, lambda request: request.stop),
    ]
    alone = ask(tools=(TOOL,), parallel_tool_calls=False)
    return [*probes, Probe("parallel_tool_calls", alone, lambda request: request.parallel_tool_calls)]


def _tools() -> list[Probe]:
    names: Read = lambda request: [each.name for each in request.tools if isinstance(each, FunctionTool)]  # noqa: E731
    custom = FunctionTool("shell", "Runs a line", None, type="custom")
    strict = FunctionTool("weather", "The weather", SCHEMA, strict=True)
    search = OpaqueTool("other", {"type": "web_search"})

    def choice(request: ChatRequest) -> Any:
        found = request.tool_choice
        return ("auto", "") if found is None else (found.mode, found.name)

    probes = [
        Probe("tools", ask(tools=(TOOL,)), names),
        Probe(
            "tools.strict",
            ask(tools=(strict,)),
            lambda request: [each.strict for each in request.tools if isinstance(each, FunctionTool)],
        ),
        Probe(
            "tools.custom",
            ask(tools=(custom,)),
            lambda request: [each.type for each in request.tools if isinstance(each, FunctionTool)],
            lambda request: "function" if names(request) == ["shell"] else "",
        ),
        Probe("tools.built_in", ask(tools=(TOOL, search)), lambda request: len(request.tools)),
    ]
    wanted = [ToolChoice("auto"), ToolChoice("none"), ToolChoice("required"), ToolChoice("named", "weather")]
    probes += [
        Probe(
            f"tool_choice.{each.mode}",
            ask(tools=(TOOL,), tool_choice=each),
            choice,
            lambda request: "" if request.tools else "no tools",
        )
        for each in wanted
    ]
    return probes


def _shapes_of_answers() -> list[Probe]:
    schema = OutputFormat("schema", SCHEMA, "city", strict=True)

    def output(request: ChatRequest) -> Any:
        return request.output.kind if request.output is not None else None

    def thinks(request: ChatRequest) -> str:
        found = request.reasoning
        if found is None:
            return ""
        if found.budget_tokens is not None:
            return "budget"
        return "effort" if found.effort is not None else "on" if found.enabled else ""

    return [
        Probe("output.json", ask(output=OutputFormat("json")), output),
        Probe("output.schema", ask(output=schema), output, lambda r: output(r) or ""),
        Probe(
            "reasoning.effort",
            ask(reasoning=Reasoning(effort="high"), max_output_tokens=9000),
            lambda request: request.reasoning.effort if request.reasoning is not None else None,
            thinks,
        ),
        Probe(
            "reasoning.budget",
            ask(reasoning=Reasoning(budget_tokens=2048), max_output_tokens=9000),
            lambda request: request.reasoning.budget_tokens if request.reasoning is not None else None,
            thinks,
        ),
        Probe(
            "reasoning.off",
            ask(reasoning=Reasoning(effort="none")),
            lambda request: (
                request.reasoning is not None
                and (request.reasoning.effort == "none" or request.reasoning.enabled is False)
            ),
            lambda request: thinks(request) or "nothing said",
        ),
    ]


def _media() -> list[Probe]:
    sources: dict[str, Part] = {
        "image.inline": Image(Inline("image/png", PNG)),
        "image.link": Image(Link("https://example.org/a.png", "image/png")),
        "image.file": Image(FileRef("file-1")),
        "document.inline": Document(Inline("application/pdf", PDF), "a.pdf"),
        "document.link": Document(Link("https://example.org/a.pdf", "application/pdf"), "a.pdf"),
        "document.plain": Document(Plain("Minutes of the meeting."), "a.txt"),
        "audio.inline": Audio(Inline("audio/wav", "UklGRg=="), "wav"),
        "video.inline": Video(Inline("video/mp4", "AAAA")),
    }
    probes: list[Probe] = []
    for feature, part in sources.items():
        kind = type(part)
        probes.append(
            Probe(
                feature,
                ask(_user(Text("Look."), part)),
                _of(kind, lambda found: _what(found.source)),
                lambda request: "text" if _more_than(request, "Look.") else "",
            )
        )
    detail = ask(_user(Text("Look."), Image(Inline("image/png", PNG), "low")))
    probes.append(Probe("image.detail", detail, _of(Image, lambda part: part.detail)))
    return probes


def _what(source: Any) -> Any:
    """What is compared of a source: media types are guessed where they are not told, text may be in base64."""
    if isinstance(source, Inline) and source.media_type == "text/plain":
        return "text", base64.b64decode(source.data).decode()
    for name in ("data", "url", "file_id", "text"):
        if hasattr(source, name):
            return name, getattr(source, name)
    return None


def _more_than(request: ChatRequest, text: str) -> bool:
    return any(
        isinstance(part, Text) and part.text.strip() not in ("", text) for part in parts_of(request, "user")
    )


def _systems() -> list[Probe]:
    def system(request: ChatRequest) -> list[str]:
        told = parts_of(request, "system", "developer")
        return [part.text for part in told if isinstance(part, Text)]

    late = (_user(Text("Hello.")), Message("system", (Text("Be brief."),)), _user(Text("Well?")))
    after = (_user(Text("Hello.")), Message("assistant", (Text("Hi."),)), late[1], _user(Text("Well?")))
    return [
        Probe("system", ask(Message("system", (Text("Be brief."),)), _user(Text("Hello."))), system),
        Probe(
            "system.late",
            ask(*late),
            lambda request: [each.role for each in request.messages].index("system") == 1,
            lambda request: "first" if system(request) == ["Be brief."] else "",
        ),
        Probe(
            "system.after_answer",
            ask(*after),
            lambda request: [each.role for each in request.messages].index("system") == 2,
            lambda request: "first" if system(request) == ["Be brief."] else "",
        ),
    ]


def _turns() -> list[Probe]:
    call = Message("assistant", (ToolCall("call_1", "weather", '{"city":"Oslo"}'),))
    first = (_user(Text("Weather?")), call)
    rich = ToolResult("call_1", "weather", (Text("See."), Image(Inline("image/png", PNG))))
    failed = ToolResult("call_1", "weather", (Text("No such city."),), is_error=True)
    signed = Thinking("I think.", Signature("anthropic", "c2VhbA=="))

    def result(read: Callable[[ToolResult], Any]) -> Read:
        return lambda request: [read(part) for part in parts_of(request) if isinstance(part, ToolResult)]

    thought = (_user(Text("Weather?")), Message("assistant", (signed, *call.parts)))
    cached = (_user(Text("A long text.", cache=CacheHint()), Text("Hello.")),)
    return [
        Probe("message.name", ask(Message("user", (Text("Hello."),), "ada")), lambda r: r.messages[-1].name),
        Probe(
            "tool_result",
            ask(*first, Message("tool", (ToolResult("call_1", "weather", (Text("12"),)),)), tools=(TOOL,)),
            result(_plain),
        ),
        Probe(
            "tool_result.image",
            ask(*first, Message("tool", (rich,)), tools=(TOOL,)),
            result(lambda part: [type(each) for each in part.content]),
            lambda r: "user" if any(isinstance(part, Image) for part in parts_of(r, "user")) else "",
        ),
        Probe(
            "tool_result.error",
            ask(*first, Message("tool", (failed,)), tools=(TOOL,)),
            result(lambda part: bool(part.is_error)),
        ),
        Probe(
            "refusal",
            ask(_user(Text("Hello.")), Message("assistant", (Refused("No."),)), _user(Text("Why?"))),
            _of(Refused, lambda part: part.text),
            lambda r: "text" if any(isinstance(p, Text) and p.text == "No." for p in parts_of(r)) else "",
        ),
        Probe(
            "thinking.signature",
            ask(*thought, Message("tool", (ToolResult("call_1", "weather", (Text("12"),)),)), tools=(TOOL,)),
            _of(Thinking, lambda part: part.signature),
        ),
        Probe("cache_hint", ask(*cached), _of(Text, lambda part: part.cache is not None)),
    ]


def _plain(result: ToolResult) -> str:
    """The result's text, which stands in an object where an API wants objects."""
    told = "".join([part.text for part in result.content if isinstance(part, Text)])
    return told or "".join([str(each) for each in cast("dict[str, Any]", result.value or {}).values()])


PROBES = (*_settings(), *_tools(), *_shapes_of_answers(), *_media(), *_systems(), *_turns())
