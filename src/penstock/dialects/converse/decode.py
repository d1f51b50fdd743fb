"""A client's Converse request.

What is not understood stands in the request's extras: `rest` has the top level, `inference`, `tools`,
`output` and `additional` what is left inside inferenceConfig, toolConfig, outputConfig and
additionalModelRequestFields.
"""

from __future__ import annotations

from typing import Any, Literal, TypeGuard, cast

from msgspec.structs import replace

from penstock.core.chat import (
    ChatRequest,
    FunctionTool,
    Message,
    OpaqueTool,
    OutputFormat,
    Role,
    Tool,
    ToolChoice,
)
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Part, Thinking, ToolCall, ToolResult
from penstock.core.seals import from_id
from penstock.shapes.converse import SHAPE
from penstock.shapes.converse.blocks import decode_blocks, decode_cache_point
from penstock.shapes.converse.keep import filled, json_text, keep, object_of
from penstock.shapes.converse.reasoning import decode_reasoning
from penstock.shapes.taker import Taker

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_CHOICES: dict[str, Literal["auto", "required", "named"]] = {"auto": "auto", "any": "required", "tool": "named"}
_TOP_K = (("top_k",), ("inferenceConfig", "topK"), ("k",))


def decode_request(body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
    """The request; the model and whether to stream are in its path."""
    top = Taker(body, strict=True)
    groups: dict[str, Any] = {}
    messages = _system(top) + _messages(top)
    fields = {**_inference(top, groups), **_tools(top, groups), **_additional(top, groups)}
    tier = top.object("serviceTier")
    if tier is not None:
        fields["service_tier"] = tier.text("type")
        groups["tier"] = tier.rest
        if fields["service_tier"] is None:
            top.rest["serviceTier"] = tier.rest
    metadata = top.rest.get("requestMetadata")
    if isinstance(metadata, dict) and metadata and all(isinstance(value, str) for value in metadata.values()):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        fields["metadata"] = cast("dict[str, str]", top.rest.pop("requestMetadata"))
    groups["rest"] = top.rest
    return ChatRequest(model=model, messages=messages, stream=stream, **fields, extras=Extras(SHAPE, groups))


def decode_count(body: dict[str, Any], model: str) -> ChatRequest | None:
    """The request whose tokens are to be counted; None for a body in a model's own words (`invokeModel`)."""
    given = Taker(body, strict=True).object("input")
    inner = given.value("converse") if given is not None else None
    return decode_request(inner, model, stream=False) if inner is not None else None


def _system(top: Taker) -> tuple[Message, ...]:
    if not top.rest.get("system"):
        return ()
    items = top.items("system")
    return (Message("system", decode_blocks(items, "system", strict=True)),) if items is not None else ()


def _messages(top: Taker) -> tuple[Message, ...]:
    """The turns; a system message among them says so, for it stands apart otherwise."""
    messages: list[Message] = []
    for value in top.objects("messages") or ():
        role = value.need("role")
        if role not in _ROLES:
            raise ShapeError(value.path("role"), "user or assistant")
        content = value.items("content")
        parts = decode_blocks(content, value.path("content"), strict=True) if content is not None else ()
        groups = keep(
            rest=value.rest,
            form="turn" if role == "system" else None,
            absent="content" if content is None else None,
        )
        messages.append(Message(_ROLES[role], _unsealed(parts), extras=groups))
    return tuple(messages)


def _unsealed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """What travelled in the ids of tool calls, back where it was."""
    late = {part.id: part.signature for part in parts if _seals_a_call(part)}
    found: list[Part] = []
    for part in parts:
        if isinstance(part, ToolCall):
            own, carried = from_id(part.id)
            found += carried.thinking
            seal = late.get(own) or carried.signature
            found.append(part if own == part.id and seal is None else replace(part, id=own, signature=seal))
        elif isinstance(part, ToolResult):
            own, _ = from_id(part.call_id)
            found.append(part if own == part.call_id else replace(part, call_id=own))
        elif not _seals_a_call(part):
            found.append(part)
    return tuple(found)


def _seals_a_call(part: Part) -> TypeGuard[Thinking]:
    """Whether this is the seal of a call that was streamed before its seal came (see stream.py)."""
    return isinstance(part, Thinking) and bool(part.id) and not part.text and part.sealed is None


def _inference(top: Taker, groups: dict[str, Any]) -> dict[str, Any]:
    config = top.object("inferenceConfig")
    if config is None:
        return {}
    fields: dict[str, Any] = {
        "max_output_tokens": config.count("maxTokens"),
        "temperature": config.number("temperature"),
        "top_p": config.number("topP"),
    }
    if config.rest.get("stopSequences"):
        fields["stop"] = config.texts("stopSequences") or ()
    groups["inference"] = config.rest
    return fields


def _tools(top: Taker, groups: dict[str, Any]) -> dict[str, Any]:
    config = top.object("toolConfig")
    if config is None:
        return {}
    fields: dict[str, Any] = {}
    items = config.objects("tools")
    if items:
        fields["tools"] = _tool_list(items)
    elif items is not None:
        config.rest["tools"] = []
    choice = _tool_choice(config)
    if choice is not None:
        fields["tool_choice"] = choice
    groups["tools"] = config.rest
    return fields


def _tool_list(items: list[Taker]) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for item in items:
        whole = dict(item.rest)
        point, last = whole.get("cachePoint"), tools[-1] if tools else None
        if (
            isinstance(point, dict)
            and len(whole) == 1
            and isinstance(last, FunctionTool)
            and last.cache is None
        ):
            members = cast("dict[str, Any]", point)
            if members.get("type") == "default":
                tools[-1] = replace(last, cache=decode_cache_point(members))
                continue
        tools.append(_function(item) or OpaqueTool(SHAPE, whole))
    return tuple(tools)


def _function(item: Taker) -> FunctionTool | None:
    spec = item.object("toolSpec")
    if spec is None:
        return None
    name = spec.need("name")
    schema = spec.object("inputSchema")
    parameters = schema.value("json") if schema is not None else None
    if schema is not None and (schema.rest or parameters is None):
        spec.rest["inputSchema"] = schema.rest
    return FunctionTool(
        name,
        filled(spec, "description") or None,
        parameters,
        spec.flag("strict"),
        extras=keep(inside=spec.rest, beside=item.rest, absent="inputSchema" if schema is None else None),
    )


def _tool_choice(config: Taker) -> ToolChoice | None:
    """`auto`, `any` or a named tool; anything else stays where it is."""
    value = config.object("toolChoice")
    if value is None:
        return None
    whole = dict(value.rest)
    for word, mode in _CHOICES.items():
        inside = value.object(word)
        if inside is None:
            continue
        name = inside.need("name") if word == "tool" else ""
        return ToolChoice(mode, name, extras=keep(inside=inside.rest, beside=value.rest))
    config.rest["toolChoice"] = whole
    return None


def _additional(top: Taker, groups: dict[str, Any]) -> dict[str, Any]:
    """Output format, reasoning and top_k, which stand in outputConfig and in the model's own fields."""
    fields: dict[str, Any] = {}
    output = top.object("outputConfig")
    if output is not None:
        fields["output"] = _output(output)
        groups["output"] = output.rest
    additional = top.rest.get("additionalModelRequestFields")
    if isinstance(additional, dict):
        del top.rest["additionalModelRequestFields"]
        groups["additional"] = dict(cast("dict[str, Any]", additional))
    own = groups.get("additional", {})
    fields["reasoning"] = decode_reasoning(own, groups.get("output", {}))
    if isinstance(own.get("inferenceConfig"), dict):
        own["inferenceConfig"] = dict(cast("dict[str, Any]", own["inferenceConfig"]))
    for path in _TOP_K:
        place: Any = own.get(path[0]) if len(path) == 2 else own
        value = cast("dict[str, Any]", place).get(path[-1]) if isinstance(place, dict) else None
        if isinstance(value, int) and not isinstance(value, bool):
            del place[path[-1]]
            fields["top_k"] = value
            groups["top_k"] = list(path)
            break
    return fields


def _output(config: Taker) -> OutputFormat | None:
    """The schema that the answer obeys, which the API takes as text."""
    form = config.rest.get("textFormat")
    structure = cast("dict[str, Any]", form).get("structure") if isinstance(form, dict) else None
    definition = cast("dict[str, Any]", structure).get("jsonSchema") if isinstance(structure, dict) else None
    if not isinstance(definition, dict) or form != {
        "type": "json_schema",
        "structure": {"jsonSchema": definition},
    }:
        return None
    inside = Taker(definition, "outputConfig.textFormat.structure.jsonSchema", strict=True)
    text = inside.need("schema")
    schema = object_of(text)
    if schema is None:
        raise ShapeError(inside.path("schema"), "the JSON text of an object")
    del config.rest["textFormat"]
    return OutputFormat(
        "schema",
        schema,
        filled(inside, "name"),
        filled(inside, "description"),
        extras=keep(inside=inside.rest, text=text if text != json_text(schema) else None),
    )
