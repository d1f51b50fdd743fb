"""A client's request as the pivot."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatRequest, Message, OutputFormat, Reasoning, Tool, ToolChoice
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Text, Thinking, ToolCall
from penstock.shapes.openai_responses.items import decode_item
from penstock.shapes.openai_responses.names import LOGPROBS, SHAPE
from penstock.shapes.openai_responses.output import decode_format, decode_reasoning_wish
from penstock.shapes.openai_responses.reasoning import call_seal
from penstock.shapes.openai_responses.tools import decode_tool, decode_tool_choice
from penstock.shapes.taker import Taker


def decode_request(body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
    """The request. Raises ShapeError where a field is not what the API says."""
    taker = Taker(body, strict=True)
    taker.text("model")
    if taker.rest.get("stream") is True:
        del taker.rest["stream"]
    messages = (*_instructions(taker), *_input(taker))
    output, verbosity = _text(taker)
    return ChatRequest(
        model=model,
        messages=messages,
        tools=_tools(taker),
        tool_choice=_tool_choice(taker),
        parallel_tool_calls=taker.flag("parallel_tool_calls"),
        output=output,
        reasoning=_reasoning(taker),
        max_output_tokens=taker.count("max_output_tokens"),
        temperature=taker.number("temperature"),
        top_p=taker.number("top_p"),
        frequency_penalty=taker.number("frequency_penalty"),
        presence_penalty=taker.number("presence_penalty"),
        logprobs=_wants_logprobs(taker),
        top_logprobs=taker.count("top_logprobs"),
        verbosity=verbosity,
        stream=stream,
        service_tier=taker.text("service_tier"),
        user=taker.text("user"),
        metadata=_metadata(taker),
        cache_key=taker.text("prompt_cache_key"),
        store=taker.flag("store"),
        previous_response_id=taker.text("previous_response_id"),
        extras=Extras(SHAPE, taker.rest),
    )


def _instructions(taker: Taker) -> tuple[Message, ...]:
    text = taker.text("instructions")
    if text is None:
        return ()
    return (Message("system", (Text(text),), extras=Extras(SHAPE, {"~instructions": True})),)


def _input(taker: Taker) -> tuple[Message, ...]:
    found = taker.rest.get("input")
    if isinstance(found, str):
        del taker.rest["input"]
        taker.rest["~input"] = "text"
        return (Message("user", (Text(found),), extras=Extras(SHAPE, {"~content": "text"})),)
    items = taker.items("input")
    if items is None:
        taker.rest["~input"] = "none"
        return ()
    taker.rest["~input"] = "list"
    return _sealed([decode_item(value, f"input[{at}]", strict=True) for at, value in enumerate(items)])


def _sealed(messages: list[Message]) -> tuple[Message, ...]:
    """The messages with the seals of calls, which stand in items after them, put back on the calls."""
    out: list[Message] = []
    last: int | None = None
    for message in messages:
        first = message.parts[0] if message.parts else None
        seal = call_seal(first) if isinstance(first, Thinking) else None
        if seal is None:
            if message.parts and isinstance(message.parts[-1], ToolCall):
                last = len(out)
            out.append(message)
        elif last is not None:
            call = out[last].parts[-1]
            if isinstance(call, ToolCall):
                out[last] = replace(out[last], parts=(*out[last].parts[:-1], replace(call, signature=seal)))
    return tuple(out)


def _tools(taker: Taker) -> tuple[Tool, ...]:
    found = taker.items("tools")
    if found is None:
        return ()
    if not found:
        taker.rest["tools"] = []
    return tuple([decode_tool(value, f"tools[{at}]") for at, value in enumerate(found)])


def _tool_choice(taker: Taker) -> ToolChoice | None:
    found = taker.any("tool_choice")
    return decode_tool_choice(found, "tool_choice") if found is not None else None


def _text(taker: Taker) -> tuple[OutputFormat | None, str | None]:
    inner = taker.object("text")
    if inner is None:
        return None, None
    output, verbosity = decode_format(inner), inner.text("verbosity")
    if inner.rest or (output is None and verbosity is None):
        taker.rest["text"] = inner.rest
    return output, verbosity


def _reasoning(taker: Taker) -> Reasoning | None:
    inner = taker.object("reasoning")
    return decode_reasoning_wish(inner) if inner is not None else None


def _wants_logprobs(taker: Taker) -> bool | None:
    """They are asked for among what is to be included; the list stays, as it has other wishes too."""
    include = taker.rest.get("include")
    return True if isinstance(include, list) and LOGPROBS in include else None


def _metadata(taker: Taker) -> dict[str, str] | None:
    found = taker.value("metadata")
    if found is not None and not all(isinstance(each, str) for each in found.values()):
        raise ShapeError("metadata", "an object of strings")
    return found
