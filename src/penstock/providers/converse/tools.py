"""Tools, the choice among them, and the schema of the answer."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest, FunctionTool, OpaqueTool, OutputFormat, ToolChoice
from penstock.core.forced_tool import tool_name
from penstock.core.losses import Losses
from penstock.core.profile import Profile
from penstock.providers.converse.conversation import tool_blocks
from penstock.providers.converse.profile import Family
from penstock.shapes.converse import SHAPE
from penstock.shapes.converse.blocks import encode_cache_point
from penstock.shapes.converse.keep import block, json_text, kept, kept_object, object_of
from penstock.shapes.converse.schema import answer_schema, tool_schema

Fields = dict[str, Any]
_FREE_TEXT: Fields = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def own_tools(request: ChatRequest) -> Fields | None:
    """The toolConfig of a request that was made in this shape; None where it has none."""
    config = kept(request.extras, "tools")
    if config is None and not request.tools and request.tool_choice is None:
        return None
    found = kept_object(request.extras, "tools")
    tools: list[Fields] = []
    for tool in request.tools:
        if isinstance(tool, OpaqueTool):
            tools += [tool.value] if tool.shape == SHAPE else []
            continue
        tools.append(_own_tool(tool))
        if tool.cache is not None:
            tools.append(encode_cache_point(tool.cache))
    if tools:
        found["tools"] = tools
    if request.tool_choice is not None and request.tool_choice.mode != "none":
        found["toolChoice"] = _own_choice(request.tool_choice)
    return found


def _own_tool(tool: FunctionTool) -> Fields:
    spec = kept_object(tool.extras, "inside")
    spec["name"] = tool.name
    if tool.description is not None:
        spec["description"] = tool.description
    if tool.strict is not None:
        spec["strict"] = tool.strict
    if tool.parameters is not None:
        spec["inputSchema"] = {**(spec.get("inputSchema") or {}), "json": tool.parameters}
    elif "inputSchema" not in spec and kept(tool.extras, "absent") is None:
        spec["inputSchema"] = {"json": tool_schema(None)}
    return block(tool.extras, "toolSpec", spec)


def _own_choice(choice: ToolChoice) -> Fields:
    inside = kept_object(choice.extras, "inside")
    if choice.mode == "named":
        inside["name"] = choice.name
    word = {"auto": "auto", "required": "any", "named": "tool"}[choice.mode]
    return block(choice.extras, word, inside)


def forces(request: ChatRequest, profile: Profile) -> bool:
    """Whether the model is to be told that it must call a tool, one for the answer's form included."""
    choice, output = request.tool_choice, request.output
    if "tools" in profile.lacks or "tool_choice.required" in profile.lacks:
        return False
    if request.tools:
        return choice is not None and choice.mode in ("required", "named")
    return output is not None and output.kind == "schema" and profile.schema == "tool"


def encode_tools(request: ChatRequest, family: Family, profile: Profile, losses: Losses) -> Fields | None:
    """The toolConfig for a request of another shape, a forced tool for the answer's form among it."""
    specs = [each for tool in request.tools for each in _tool(tool, family, profile, losses)]
    choice = request.tool_choice
    forced = _forced_tool(request, profile, losses)
    if forced is not None:
        specs.append(forced)
        choice = choice if request.tools else ToolChoice("named", forced["toolSpec"]["name"])
    used = tool_blocks(request.messages)
    if "tools" in profile.lacks and (specs or used):
        losses.drop("tools")
        return None
    if choice is not None and choice.mode == "none" and specs:
        if not used:
            return None
        losses.drop("tool_choice")
        choice = None
    if not specs and used:
        specs = [_spec(name, None, tool_schema(None)) for name in used]
    if not specs:
        return None
    said = _choice(choice, profile, losses)
    return {"tools": specs, "toolChoice": said} if said is not None else {"tools": specs}


def _tool(tool: FunctionTool | OpaqueTool, family: Family, profile: Profile, losses: Losses) -> list[Fields]:
    if isinstance(tool, OpaqueTool):
        if tool.shape == SHAPE:
            return [tool.value]
        losses.drop("tool.opaque")
        return []
    schema = _FREE_TEXT if tool.type == "custom" else tool_schema(tool.parameters, bare=family == "nova")
    spec = _spec(tool.name, tool.description, schema)
    if tool.strict:
        if "tool.strict" in profile.lacks:
            losses.drop("tool.strict")
        else:
            spec["toolSpec"]["strict"] = True
    if tool.cache is not None and "cache" not in profile.lacks and family != "nova":
        return [spec, encode_cache_point(tool.cache)]
    return [spec]


def _spec(name: str, description: str | None, schema: Fields) -> Fields:
    spec: Fields = {"name": name}
    if description and description.strip():
        spec["description"] = description
    spec["inputSchema"] = {"json": schema}
    return {"toolSpec": spec}


def _choice(choice: ToolChoice | None, profile: Profile, losses: Losses) -> Fields | None:
    """What may be chosen; not every family can be forced."""
    if choice is None or choice.mode == "none":
        return None
    if choice.mode == "auto":
        return {"auto": {}}
    if "tool_choice.required" in profile.lacks:
        return {"auto": {}} if losses.map("tool_choice") else None
    if choice.mode == "named" and "tool_choice.named" not in profile.lacks:
        return {"tool": {"name": choice.name}}
    if choice.mode == "named" and not losses.map("tool_choice"):
        return None
    return {"any": {}}


def _forced_tool(request: ChatRequest, profile: Profile, losses: Losses) -> Fields | None:
    """The tool whose input is the answer, for models that take no schema for it."""
    output = request.output
    if output is None or output.kind == "text" or (output.kind == "schema" and profile.schema == "native"):
        return None
    if profile.schema == "none" or "tools" in profile.lacks:
        losses.drop("output.schema" if output.kind == "schema" else "output")
        return None
    if output.kind == "json" or not losses.map("output.schema"):
        return None
    return _spec(tool_name(request), output.description or None, tool_schema(output.schema))


def own_output(request: ChatRequest, config: Fields) -> None:
    """Put the form of the answer back into outputConfig, as its client wrote it."""
    output = request.output
    if output is None or output.kind != "schema" or output.schema is None:
        return
    definition = kept_object(output.extras, "inside")
    text = kept(output.extras, "text")
    same = isinstance(text, str) and object_of(text) == output.schema
    definition["schema"] = text if same else json_text(output.schema)
    config["textFormat"] = _text_format(definition, output)


def encode_output(output: OutputFormat | None, profile: Profile, losses: Losses) -> Fields | None:
    """The outputConfig for a request of another shape; None where the form is asked for in another way."""
    if output is None or output.kind != "schema" or output.schema is None or profile.schema != "native":
        return None
    schema, bounded = answer_schema(output.schema)
    if bounded and not losses.map("output.schema"):
        return None
    return {"textFormat": _text_format({"schema": json_text(schema)}, output)}


def _text_format(definition: Fields, output: OutputFormat) -> Fields:
    if output.name:
        definition["name"] = output.name
    if output.description:
        definition["description"] = output.description
    return {"type": "json_schema", "structure": {"jsonSchema": definition}}
