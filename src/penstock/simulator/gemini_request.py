"""The Gemini API, what comes in: refuses what Google would refuse, with messages of that kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from penstock.simulator import gemini_fields as fields
from penstock.simulator.reply import Refused
from penstock.simulator.signature import is_signed
from penstock.simulator.strict import Check, Invalid, Path, Value, listed, texts, within

SIGNED = "gemini"
_UNKNOWN = "Invalid JSON payload received. Unknown name"
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
# Models before Gemini 3 send signatures but do not demand them.
_LENIENT = re.compile(r"gemini-(?:1|2)[.-]")
# What the documentation names for calls that no Gemini model made.
_SKIPPED = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
_FORMATS = {"STRING": {"enum", "date-time"}, "NUMBER": {"float", "double"}, "INTEGER": {"int32", "int64"}}
_SIGNATURE_DOCS = "https://ai.google.dev/gemini-api/docs/thought-signatures"


def decoded(body: bytes, check: Check) -> Value:
    """A request's fields, with names in camelCase. Raises Refused."""
    try:
        ask = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Refused(f"Invalid JSON payload received. {error}") from None
    try:
        check(ask, ())
    except Invalid as invalid:
        raise Refused(_worded(invalid)) from None
    return ask


def address(path: Path) -> str:
    """A path as Google writes it: contents[0].parts[1].function_call."""
    said = ""
    for step in path:
        said += f"[{step}]" if isinstance(step, int) else f".{step}" if said else step
    return said


def _worded(invalid: Invalid) -> str:
    where = address(invalid.path)
    if invalid.fault == "unknown":
        parent = address(invalid.path[:-1])
        at = f" at '{parent}'" if parent else ""
        return f'{_UNKNOWN} "{invalid.path[-1]}"{at}: {invalid.detail or "Cannot find field."}'
    if invalid.fault == "type":
        return f"Invalid value at '{where}' (TYPE_{invalid.detail.upper()})"
    kind, _, value = invalid.detail.partition("|")
    if kind == "oneof":
        return f"Invalid value at '{where}' (oneof), oneof field 'data' is already set. Cannot set '{value}'"
    return f"Invalid value at '{where}' ({kind}), \"{value}\""


def check_generate(ask: Value, model: str) -> None:
    """What the types do not say of a request to generate. Raises Refused."""
    contents = listed(ask, "contents")
    if not contents:
        raise Refused("* GenerateContentRequest.contents: contents is not specified\n")
    for index, content in enumerate(contents):
        _check_content(content, f"contents[{index}]")
    if "systemInstruction" in ask:
        for place, part in enumerate(listed(ask["systemInstruction"], "parts")):
            _check_part(part, f"system_instruction.parts[{place}]")
    _check_turns(contents)
    _check_signatures(contents, model)
    _check_tools(ask)
    _check_config(within(ask, "generationConfig"))


def _check_content(content: Value, where: str) -> None:
    if content.get("role", "user") not in {"user", "model"}:
        raise Refused("Please use a valid role: user, model.")
    parts = content.get("parts")
    if not parts:
        raise Refused(f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty.\n")
    for place, part in enumerate(parts):
        _check_part(part, f"{where}.parts[{place}]")


def _check_part(part: Value, where: str) -> None:
    if not any(name in part for name in fields.DATA) and not part.get("thoughtSignature"):
        raise Refused(
            f"* GenerateContentRequest.{where}.data: required oneof field 'data' must have one initialized "
            "field\n"
        )
    for name in ("functionCall", "functionResponse"):
        if name in part and not part[name].get("name"):
            raise Refused(
                f"* GenerateContentRequest.{where}.{fields.snake(name)}.name: Name cannot be empty.\n"
            )
    if "functionResponse" in part and "response" not in part["functionResponse"]:
        raise Refused(
            f"* GenerateContentRequest.{where}.function_response.response: response is not specified\n"
        )


def calls_of(content: Value) -> list[Value]:
    """The parts of a content that call functions."""
    return [part for part in content["parts"] if "functionCall" in part]


def responses_of(content: Value) -> list[Value]:
    """The parts of a content that answer calls."""
    return [part for part in content["parts"] if "functionResponse" in part]


def _check_turns(contents: Sequence[Value]) -> None:
    """Calls follow users or answers, answers follow calls, one for each; neighbours of one role are a turn."""
    turns: list[tuple[str, int, int]] = []
    for content in contents:
        role, calls, answers = content.get("role", "user"), len(calls_of(content)), len(responses_of(content))
        if turns and turns[-1][0] == role:
            turns[-1] = (role, turns[-1][1] + calls, turns[-1][2] + answers)
        else:
            turns.append((role, calls, answers))
    asked = 0
    for index, (role, calls, answers) in enumerate(turns):
        if (calls and role != "model") or (answers and role != "user"):
            raise Refused("Please ensure that function call and function response parts have the right role.")
        if answers and not asked:
            raise Refused(
                "Please ensure that function response turn comes immediately after a function call turn."
            )
        if answers != asked:
            raise Refused(
                "Please ensure that the number of function response parts is equal to the number of function "
                "call parts of the function call turn."
            )
        if calls and index == 0:
            raise Refused(
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            )
        asked = calls


def _check_signatures(contents: Sequence[Value], model: str) -> None:
    """Since the user last said something, each step's first call has its signature; others are not changed."""
    starts = [
        index
        for index, content in enumerate(contents)
        if content.get("role", "user") == "user" and not responses_of(content)
    ]
    current = starts[-1] if starts else 0
    lenient = bool(_LENIENT.match(model.rsplit("/", 1)[-1]))
    position = 0
    for index, content in enumerate(contents):
        calls = calls_of(content)
        for part in content["parts"]:
            position += 1
            signature = part.get("thoughtSignature")
            first = bool(calls) and part is calls[0]
            if first and not signature and index >= current and not lenient:
                name = part["functionCall"]["name"]
                raise Refused(
                    "Function call is missing a thought_signature in functionCall parts. This is required for "
                    "tools to work correctly, and missing thought_signature may lead to degraded model "
                    f"performance. Additional data, function call `default_api:{name}` , position {position}. "
                    f"Please refer to {_SIGNATURE_DOCS} for more details."
                )
            if (
                signature
                and signature not in _SKIPPED
                and not is_signed(signature, SIGNED, signed_content(part))
            ):
                raise Refused("Corrupted thought signature.")


def signed_content(part: Value) -> Any:
    """What a signature stands for: a call with its arguments; beside a text, that one was thought of."""
    call = part.get("functionCall")
    return [call["name"], call.get("args") or {}] if call else None


def _check_tools(ask: Value) -> None:
    names: list[str] = []
    for index, tool in enumerate(listed(ask, "tools")):
        for place, function in enumerate(listed(tool, "functionDeclarations")):
            where = f"* GenerateContentRequest.tools[{index}].function_declarations[{place}]"
            name = function.get("name", "")
            if not _FUNCTION_NAME.fullmatch(name):
                raise Refused(
                    f"{where}.name: Invalid function name. Must start with a letter or an underscore. Must be "
                    "alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a "
                    "maximum length of 128.\n"
                )
            if name in names:
                raise Refused(f"Duplicate function declaration found: {name}")
            names.append(name)
            if "parameters" in function and "parametersJsonSchema" in function:
                raise Refused(f"{where}: only one of parameters and parameters_json_schema can be set\n")
            _check_schema(function.get("parameters"), f"{where}.parameters")
    config = within(ask, "toolConfig", "functionCallingConfig")
    allowed = texts(config, "allowedFunctionNames")
    mode = str(config.get("mode", "AUTO")).upper()
    if allowed and mode not in {"ANY", "VALIDATED"}:
        raise Refused(
            "Allowed function names should be set only when the function calling mode is ANY or VALIDATED."
        )
    if unknown := [name for name in allowed if name not in names]:
        raise Refused(f"The allowed function names are not declared: {', '.join(unknown)}")
    if mode == "ANY" and not names:
        raise Refused("Function calling config is set without function_declarations.")


def kind_of(schema: Value) -> str:
    """A schema's type in capitals, also where it is a number; empty where there is none."""
    kind = schema.get("type", "")
    return fields.TYPES[kind] if isinstance(kind, int) and kind < len(fields.TYPES) else str(kind).upper()


def _check_schema(schema: Value | None, where: str) -> None:
    if schema is None:
        return
    kind = kind_of(schema)
    if "enum" in schema and kind not in {"STRING", ""}:
        raise Refused(f"{where}.enum: only allowed for STRING type\n")
    if kind == "STRING" and "format" in schema and schema["format"] not in _FORMATS["STRING"]:
        raise Refused(f"{where}.format: only 'enum' and 'date-time' are supported for STRING type\n")
    if kind == "ARRAY" and "items" not in schema:
        raise Refused(f"{where}.items: missing field.\n")
    properties = within(schema, "properties")
    if properties and kind not in {"OBJECT", ""}:
        raise Refused(f"{where}.properties: only allowed for OBJECT type\n")
    for index, name in enumerate(schema.get("required") or ()):
        if name not in properties:
            raise Refused(f"{where}.required[{index}]: property is not defined\n")
    for name, inner in properties.items():
        _check_schema(inner, f"{where}.properties[{name}]")
    _check_schema(schema.get("items"), f"{where}.items")
    for index, inner in enumerate(schema.get("anyOf") or ()):
        _check_schema(inner, f"{where}.any_of[{index}]")


def _check_config(config: Value) -> None:
    where = "* GenerateContentRequest.generation_config"
    if not 1 <= config.get("candidateCount", 1) <= 8:
        raise Refused(f"{where}.candidate_count: Candidate count must be in the range [1, 8].\n")
    if not 0 <= config.get("temperature", 1) <= 2:
        raise Refused(f"{where}.temperature: temperature must be in the range [0.0, 2.0].\n")
    if not 0 <= config.get("topP", 1) <= 1:
        raise Refused(f"{where}.top_p: top_p must be in the range [0.0, 1.0].\n")
    if config.get("maxOutputTokens", 1) < 1:
        raise Refused(f"{where}.max_output_tokens: max_output_tokens must be positive.\n")
    if len(config.get("stopSequences") or ()) > 5:
        raise Refused(f"{where}.stop_sequences: at most 5 stop sequences are allowed.\n")
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    mime = config.get("responseMimeType", "text/plain")
    if mime not in {"text/plain", "application/json", "text/x.enum"}:
        raise Refused(
            f"{where}.response_mime_type: allowed mimetypes are `text/plain`, `application/json`, "
            "`application/xml`, `application/yaml` and `text/x.enum`.\n"
        )
    if schemas and mime == "text/plain":
        raise Refused(f"{where}.response_schema: only allowed when response mime type is application/json\n")
    if len(schemas) == 2:
        raise Refused(f"{where}: only one of response_schema and response_json_schema can be set\n")
    _check_schema(config.get("responseSchema"), f"{where}.response_schema")
    thinking = within(config, "thinkingConfig")
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        raise Refused("You can only set only one of thinking budget and thinking level.")
