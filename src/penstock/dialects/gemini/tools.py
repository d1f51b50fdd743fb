"""A client's `tools` and `toolConfig`."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import FunctionTool, OpaqueTool, Tool, ToolChoice
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.reader import Reader, closed, opened
from penstock.shapes.gemini.schema import to_json_schema
from penstock.shapes.taker import bounded

_MODES = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}


def read_tools(reader: Reader) -> tuple[Tool, ...]:
    """All tools in one row; a note says which ones stood in one object."""
    found: list[Tool] = []
    given = reader.rest.get("tools")
    if isinstance(given, list):
        bounded(len(cast("list[Any]", given)), reader.path("tools"))
    for at, tool in enumerate((reader.many("tools") if reader.rest.get("tools") else None) or ()):
        declarations = tool.many("functionDeclarations") if tool.rest.get("functionDeclarations") else None
        bounded(len(found) + len(declarations or ()), tool.path("functionDeclarations"))
        spelling: dict[str, Any] = {
            name: tool.notes.pop(name) for name in ("~snake", "~one") if name in tool.notes
        }
        group: dict[str, Any] = {"at": at, **spelling} if spelling else {"at": at}
        found += [_function(each, group) for each in declarations or ()]
        if tool.rest or not declarations:
            rest = closed(*opened({**tool.left(), **spelling}))
            found.append(OpaqueTool(SHAPE, {**rest, "~with": at} if declarations else rest))
    return tuple(found)


def _function(reader: Reader, group: dict[str, Any]) -> FunctionTool:
    name = reader.filled("name")
    description = reader.text("description")
    field = "parametersJsonSchema" if "parametersJsonSchema" in reader.rest else "parameters"
    given = reader.value(field)
    parameters = given
    if given is not None:
        reader.note("schema", field)
        if field == "parameters":
            parameters = to_json_schema(given)
            if parameters != given:
                reader.note("given", given)
    reader.note("tool", group)
    return FunctionTool(name, description, parameters, extras=reader.extras())


def read_choice(reader: Reader) -> ToolChoice | None:
    """What `toolConfig` says about functions; the rest of it stays with the request."""
    config = reader.object("toolConfig")
    if config is None:
        return None
    choice = _choice(config)
    reader.note("toolConfig", config.left())
    return choice


def _choice(config: Reader) -> ToolChoice | None:
    calling = config.object("functionCallingConfig")
    if calling is None:
        return None
    given = calling.text("mode")
    mode = _MODES.get((given or "AUTO").upper(), "auto")
    if given is None or given not in ("AUTO", "ANY", "NONE"):
        calling.note("mode", given)
    allowed = calling.words("allowedFunctionNames")
    if mode == "required" and len(allowed) == 1:
        return ToolChoice("named", allowed[0], extras=calling.mark())
    if allowed:
        calling.rest["allowedFunctionNames"] = list(allowed)
    return ToolChoice(mode, extras=calling.mark())  # type: ignore[arg-type]
