"""Decode chat requests in Cohere's shape."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import (
    ChatRequest,
    FunctionTool,
    Message,
    OpaqueTool,
    OutputFormat,
    Reasoning,
    Tool,
    ToolChoice,
)
from penstock.core.errors import ShapeError
from penstock.core.parts import Document, Extras, Part, ToolResult
from penstock.core.seals import from_id
from penstock.shapes.cohere import CHAT
from penstock.shapes.cohere.messages import read_assistant, read_content
from penstock.shapes.cohere.parts import read_document
from penstock.shapes.taker import Taker, bounded

_CHOICES: dict[str, ToolChoice] = {"NONE": ToolChoice("none"), "REQUIRED": ToolChoice("required")}


def decode_request(body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
    """The request. Raises ShapeError."""
    taker = Taker(body, strict=True)
    taker.rest.pop("model", None)
    messages = [_message(each) for each in taker.objects("messages") or []]
    _documents(taker, messages)
    word = taker.rest.get("tool_choice")
    choice = _CHOICES.get(word) if isinstance(word, str) else None
    if choice is not None:
        del taker.rest["tool_choice"]
    strict = taker.rest.get("strict_tools") is True
    return ChatRequest(
        model=model,
        messages=tuple(messages),
        tools=tuple([_tool(each, strict=strict) for each in taker.objects("tools") or []]),
        tool_choice=choice,
        output=_output(taker.object("response_format")),
        reasoning=_reasoning(taker),
        max_output_tokens=taker.count("max_tokens"),
        temperature=taker.number("temperature"),
        top_p=taker.number("p"),
        top_k=taker.count("k"),
        frequency_penalty=taker.number("frequency_penalty"),
        presence_penalty=taker.number("presence_penalty"),
        seed=taker.integer("seed"),
        stop=taker.texts("stop_sequences") or (),
        logprobs=taker.flag("logprobs"),
        stream=stream,
        extras=Extras(CHAT, taker.rest),
    )


def _message(body: Taker) -> Message:
    role = body.need("role")
    if role == "assistant":
        parts = read_assistant(body)
        return Message("assistant", tuple(parts), extras=Extras(CHAT, body.rest))
    if role == "tool":
        return _tool_message(body)
    if role not in ("user", "system"):
        raise ShapeError(body.path("role"), "user, assistant, system or tool")
    return Message(
        "user" if role == "user" else "system", tuple(read_content(body)), extras=Extras(CHAT, body.rest)
    )


def _tool_message(body: Taker) -> Message:
    call_id, _ = from_id(body.need("tool_call_id"))
    content = tuple(read_content(body))
    kept = Extras(CHAT, body.rest)
    return Message("tool", (ToolResult(call_id, content=content, extras=kept),), extras=Extras(CHAT, {}))


def _documents(body: Taker, messages: list[Message]) -> None:
    """Documents stand in the pivot with what the user last said."""
    whole = body.rest.get("documents")
    if not isinstance(whole, list):
        return
    bounded(len(cast("list[Any]", whole)), body.path("documents"))
    found = [read_document(each) for each in cast("list[Any]", whole)]
    last = max([at for at, message in enumerate(messages) if message.role == "user"], default=None)
    if last is None or not found or not all(found):
        return
    del body.rest["documents"]
    old = messages[last]
    parts: tuple[Part, ...] = (*cast("list[Document]", found), *old.parts)
    messages[last] = Message("user", parts, extras=old.extras)


def _tool(body: Taker, *, strict: bool) -> Tool:
    if body.rest.get("type") != "function" or not isinstance(body.rest.get("function"), dict):
        return OpaqueTool(CHAT, body.rest)
    del body.rest["type"]
    function = cast("Taker", body.object("function"))
    name = function.need("name")
    description, parameters = function.text("description"), function.value("parameters")
    if function.rest:
        body.rest["function"] = function.rest
    return FunctionTool(name, description, parameters, strict or None, extras=Extras(CHAT, body.rest))


def _output(body: Taker | None) -> OutputFormat | None:
    if body is None:
        return None
    kind = body.text("type")
    schema = body.value("json_schema")
    if schema is None and kind == "json_object":
        schema = body.value("schema")  # the older name of the field
        if schema is not None:
            body.rest["~schema"] = "schema"
    if kind == "text":
        return OutputFormat("text", extras=Extras(CHAT, body.rest))
    if kind != "json_object":
        raise ShapeError(body.path("type"), "text or json_object")
    return OutputFormat("schema" if schema is not None else "json", schema, extras=Extras(CHAT, body.rest))


def _reasoning(body: Taker) -> Reasoning | None:
    thinking = body.object("thinking")
    if thinking is None:
        return None
    kind = thinking.text("type")
    if kind not in ("enabled", "disabled"):
        raise ShapeError(thinking.path("type"), "enabled or disabled")
    budget = thinking.count("token_budget")
    extras = Extras(CHAT, thinking.rest)
    return Reasoning(budget_tokens=budget, enabled=kind == "enabled", extras=extras)
