"""A client's `generationConfig`."""

from __future__ import annotations

from typing import Any, TypedDict

from penstock.core.chat import OutputFormat, Reasoning
from penstock.shapes.gemini.reader import Reader
from penstock.shapes.gemini.schema import to_json_schema


class Sampling(TypedDict, total=False):
    """The fields of ChatRequest that a `generationConfig` fills."""

    max_output_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    frequency_penalty: float | None
    presence_penalty: float | None
    seed: int | None
    stop: tuple[str, ...]
    choices: int | None
    logprobs: bool | None
    top_logprobs: int | None
    modalities: tuple[str, ...]
    output: OutputFormat | None
    reasoning: Reasoning | None


def read_config(reader: Reader) -> Sampling:
    """What the pivot has of it; the rest stays with the request."""
    config = reader.object("generationConfig")
    if config is None:
        return {}
    fields: Sampling = {
        "max_output_tokens": config.count("maxOutputTokens"),
        "temperature": config.number("temperature"),
        "top_p": config.number("topP"),
        "top_k": _whole(config, "topK"),
        "frequency_penalty": config.number("frequencyPenalty"),
        "presence_penalty": config.number("presencePenalty"),
        "seed": config.integer("seed"),
        "stop": config.words("stopSequences"),
        "choices": config.count("candidateCount"),
        "logprobs": config.flag("responseLogprobs"),
        "top_logprobs": config.count("logprobs"),
        "modalities": _modalities(config),
        "output": _output(config),
        "reasoning": _reasoning(config),
    }
    reader.note("config", config.left())
    return fields


def _whole(config: Reader, name: str) -> int | None:
    value = config.rest.get(name)
    if isinstance(value, float) and value.is_integer():
        del config.rest[name]
        return int(value)
    return config.integer(name)


def _modalities(config: Reader) -> tuple[str, ...]:
    given = config.words("responseModalities")
    names = tuple([each.lower() for each in given])
    if tuple([each.upper() for each in names]) != given:
        config.note("modalities", list(given))
    return names


def _output(config: Reader) -> OutputFormat | None:
    media_type = config.text("responseMimeType")
    field = "responseJsonSchema" if "responseJsonSchema" in config.rest else "responseSchema"
    given = config.value(field)
    if media_type is None and given is None:
        return None
    notes: dict[str, Any] = {"~type": media_type}
    schema = given
    if given is not None:
        notes["~schema"] = field
        if field == "responseSchema":
            schema = to_json_schema(given)
            if schema != given:
                notes["~given"] = given
    for name, value in notes.items():
        config.note(name[1:], value)
    if schema is not None:
        return OutputFormat("schema", schema)
    return OutputFormat("json" if media_type == "application/json" else "text")


def _reasoning(config: Reader) -> Reasoning | None:
    thinking = config.object("thinkingConfig")
    if thinking is None:
        return None
    budget = thinking.integer("thinkingBudget")
    level = thinking.text("thinkingLevel")
    effort = level.lower() if level is not None else None
    if effort is not None and effort.upper() != level:
        thinking.note("level", level)
    if budget is not None and budget < 0:
        thinking.note("budget", budget)  # as much as the model wants
    shown = thinking.rest.get("includeThoughts") is True
    if shown:
        del thinking.rest["includeThoughts"]
    return Reasoning(
        effort,
        budget if budget is not None and budget >= 0 else None,
        None if budget is None else budget != 0,
        "auto" if shown else None,
        extras=thinking.mark(),
    )
