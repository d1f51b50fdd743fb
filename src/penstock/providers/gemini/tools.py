"""Tools and the choice between them, as `tools` and `toolConfig`."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatRequest, FunctionTool, OpaqueTool
from penstock.ports.translation import Addressee
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.reader import closed, opened, own, own_fields
from penstock.shapes.gemini.schema import to_google, to_json_schema
from penstock.shapes.taker import put

Json = dict[str, Any]

_FREE_TEXT: Json = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
_CHOICES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}
_STRICT = "VALIDATED"
_MODES = {"AUTO": "auto", "VALIDATED": "auto", "ANY": "required", "NONE": "none"}


def write_tools(request: ChatRequest, to: Addressee) -> list[Json] | None:
    """`tools`; None where there are none."""
    if not request.tools:
        return None
    if "tools" in to.profile.lacks:
        to.losses.drop("tools")
        return None
    out: list[Json] = []
    groups: dict[Any, Json] = {}
    spellings: dict[int, Json] = {}
    for tool in request.tools:
        if isinstance(tool, OpaqueTool):
            if tool.shape == SHAPE:
                value, notes = opened(tool.value)
                group = groups.get(notes.get("~with"))
                if group is None:
                    out.append(value)
                else:
                    group.update(value)
            else:
                to.losses.drop("tool.opaque")
            continue
        given: Json = own_fields(tool.extras).get("~tool", {})
        group = groups.get(given.get("at", -1))
        if group is None:
            group = groups[given.get("at", -1)] = {"functionDeclarations": []}
            spellings[len(out)] = given
            out.append(group)
        declarations = cast("list[Json]", group["functionDeclarations"])
        declarations.append(_function(tool, to))
    tools = [closed(each, spellings.get(at, {})) for at, each in enumerate(out)]
    return tools or None


def _function(tool: FunctionTool, to: Addressee) -> Json:
    out, notes = opened(own_fields(tool.extras))
    if tool.name or not own(tool.extras):
        out["name"] = tool.name
    put(out, description=tool.description)
    parameters = tool.parameters
    if tool.type == "custom":
        to.losses.map("tool.custom")
        parameters = _FREE_TEXT
    if parameters is not None:
        field, value = parameters_of(parameters, notes, to, "parameters", "parametersJsonSchema")
        if field == "parameters" and "properties" not in value and "~schema" not in notes:
            return closed(out, notes)  # an object without properties is refused
        out[field] = value
    return closed(out, notes)


def parameters_of(schema: Json, notes: Json, to: Addressee, google: str, plain: str) -> tuple[str, Json]:
    """The field for a schema, and the schema as it takes it: what came, where that still says the same."""
    field = notes.get("~schema")
    given = notes.get("~given", schema)
    if field == google:
        return google, given if given is schema or to_json_schema(given) == schema else to_google(schema)
    if field is None and "schema.json" in to.profile.lacks:
        return google, to_google(schema)
    return plain, schema


def _strictly(request: ChatRequest, to: Addressee, mode: str = "AUTO") -> bool:
    """Whether to ask, by the mode, for arguments that obey their schemas; `ANY` asks for that by itself.

    https://ai.google.dev/gemini-api/docs/function-calling#function_calling_modes
    """
    if own(request.extras) or not any(isinstance(tool, FunctionTool) and tool.strict for tool in request.tools):
        return False
    if "tools" in to.profile.lacks:
        return False
    if "tool.strict" in to.profile.lacks:
        to.losses.drop("tool.strict")
        return False
    return mode == "AUTO" and to.losses.map("tool.strict")


def write_choice(request: ChatRequest, to: Addressee) -> Json | None:
    """`toolConfig`; None where nothing is said."""
    came = own_fields(request.extras).get("~toolConfig")
    out, notes = opened(came or {})
    choice = request.tool_choice
    if choice is not None and ("tools" not in to.profile.lacks or own(choice.extras)):
        fields, spelling = opened(own_fields(choice.extras))
        mode = _CHOICES[choice.mode]
        if "~mode" in spelling:
            raw = spelling["~mode"]
            same = _MODES.get((raw or "AUTO").upper(), "auto") == _MODES[mode]
            mode = raw if same else mode
        if mode in ("AUTO", "ANY") and not own(choice.extras) and _strictly(request, to, mode):
            mode = _STRICT
        put(fields, mode=mode)
        if choice.mode == "named":
            fields["allowedFunctionNames"] = [choice.name]
        out["functionCallingConfig"] = closed(fields, spelling)
    elif choice is None and _strictly(request, to):
        out["functionCallingConfig"] = {"mode": _STRICT}
    if request.parallel_tool_calls is False and request.tools:
        to.losses.drop("parallel_tool_calls")
    return closed(out, notes) if out or came is not None else None
