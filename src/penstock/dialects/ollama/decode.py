"""Decode chat requests in Ollama's shape."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatRequest, FunctionTool, Message, OpaqueTool, OutputFormat, Reasoning, Tool
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Image, Inline, Part, Text, ToolCall, ToolResult
from penstock.core.seals import from_id
from penstock.core.turns import made_id
from penstock.shapes.ollama import CHAT
from penstock.shapes.ollama.messages import read_assistant
from penstock.shapes.taker import Taker


def decode_request(body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
    """The request. Raises ShapeError."""
    taker = Taker(body, strict=True)
    taker.rest.pop("model", None)
    messages = _messages(taker)
    tools = taker.objects("tools")
    if tools == []:
        taker.rest["tools"] = []
    output = _output(taker)
    reasoning = _reasoning(taker)
    options = taker.object("options") or Taker({})
    stop = options.rest.get("stop")
    one = options.text("stop") if isinstance(stop, str) else None
    stops = (one,) if one is not None else options.texts("stop") or ()
    if one is not None:
        options.rest["~stop"] = "string"
    request = ChatRequest(
        model=model,
        messages=tuple(messages),
        tools=tuple([_tool(each) for each in tools or []]),
        output=output,
        reasoning=reasoning,
        max_output_tokens=_cap(options),
        temperature=options.number("temperature"),
        top_p=options.number("top_p"),
        top_k=options.count("top_k"),
        frequency_penalty=options.number("frequency_penalty"),
        presence_penalty=options.number("presence_penalty"),
        seed=options.integer("seed"),
        stop=stops,
        logprobs=taker.flag("logprobs"),
        top_logprobs=taker.count("top_logprobs"),
        stream=stream,
        extras=Extras(CHAT, taker.rest),
    )
    taker.rest["~streams"] = stream
    if options.rest or body.get("options") == {}:
        taker.rest["options"] = options.rest
    return request


def _cap(options: Taker) -> int | None:
    """The bound of the answer; below zero it means none."""
    value = options.rest.get("num_predict")
    return options.count("num_predict") if not isinstance(value, int) or value >= 0 else None


def _messages(body: Taker) -> list[Message]:
    out: list[Message] = []
    waiting: list[ToolCall] = []  # calls whose results did not come yet, for results that name no call
    for at, each in enumerate(body.objects("messages") or []):
        role = each.need("role")
        if role == "assistant":
            parts = read_assistant(each, at)
            waiting = [part for part in parts if isinstance(part, ToolCall)]
            out.append(Message("assistant", tuple(parts), extras=Extras(CHAT, each.rest)))
        elif role == "tool":
            out.append(Message("tool", (_result(each, at, waiting),), extras=Extras(CHAT, {})))
        elif role in ("user", "system"):
            found = tuple(_content(each))
            out.append(Message("user" if role == "user" else "system", found, extras=Extras(CHAT, each.rest)))
        else:
            raise ShapeError(each.path("role"), "user, assistant, system or tool")
    return out


def _content(body: Taker) -> list[Part]:
    parts: list[Part] = []
    if body.rest.get("content") != "" and (text := body.text("content")) is not None:
        parts.append(Text(text))
    images = body.texts("images")
    if images == ():
        body.rest["images"] = []
    return parts + [Image(Inline("", data)) for data in images or ()]


def _result(body: Taker, at: int, waiting: list[ToolCall]) -> ToolResult:
    """A tool's result; without an id it answers the first call of its name that waits, else the first."""
    name = body.text("tool_name") or ""
    call_id = body.text("tool_call_id")
    if call_id is not None:
        call_id, _ = from_id(call_id)
    else:
        fitting = [call for call in waiting if call.name == name] or waiting
        call_id = fitting[0].id if fitting else made_id("call_", at, name)
        body.rest["~made"] = True
    waiting[:] = [call for call in waiting if call.id != call_id]
    return ToolResult(call_id, name, tuple(_content(body)), extras=Extras(CHAT, body.rest))


def _tool(body: Taker) -> Tool:
    if body.rest.get("type") != "function" or not isinstance(body.rest.get("function"), dict):
        return OpaqueTool(CHAT, body.rest)
    del body.rest["type"]
    function = cast("Taker", body.object("function"))
    name = function.need("name")
    description, parameters = function.text("description"), function.value("parameters")
    if function.rest:
        body.rest["function"] = function.rest
    return FunctionTool(name, description, parameters, extras=Extras(CHAT, body.rest))


def _output(body: Taker) -> OutputFormat | None:
    form = body.rest.get("format")
    if form == "json":
        del body.rest["format"]
        return OutputFormat("json")
    if isinstance(form, dict):
        return OutputFormat("schema", body.value("format"))
    if form:
        raise ShapeError("format", "json or a schema")
    return None


def _reasoning(body: Taker) -> Reasoning | None:
    think = body.rest.get("think")
    if think is None:
        return None
    extras = Extras(CHAT, {})
    if isinstance(think, str):
        return Reasoning(effort=body.text("think"), enabled=True, extras=extras)
    return Reasoning(enabled=body.flag("think"), extras=extras)
