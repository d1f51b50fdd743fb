"""`output_config`: the form of the answer and the effort; and `output_format`, where the form stood before.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import OutputFormat
from penstock.core.parts import Extras
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.taker import Taker, extras_of

_PLACE = "~place"
_OLD = "output_format"


def read_output(taker: Taker) -> tuple[OutputFormat | None, str | None]:
    """The form of the answer, and the effort; the rest of `output_config` stays where it is."""
    old = _format(taker, {_PLACE: _OLD}, _OLD)
    config = taker.rest.get("output_config")
    if not isinstance(config, dict):
        return old, None
    inner = Taker(config, taker.path("output_config"), strict=taker.strict)
    form = old if old is not None else _format(inner, {}, "format")
    effort = inner.text("effort")
    taker.rest["output_config"] = inner.rest
    return form, effort


def _format(taker: Taker, marks: dict[str, Any], name: str) -> OutputFormat | None:
    value = taker.rest.get(name)
    if not isinstance(value, dict):
        return None
    rest = dict(cast("dict[str, Any]", value))
    schema = rest.get("schema")
    if rest.get("type") != "json_schema" or not isinstance(schema, dict):
        return None
    del taker.rest[name], rest["type"], rest["schema"]
    rest.update(marks)
    extras = Extras(SHAPE, rest) if rest else None
    return OutputFormat("schema", cast("dict[str, Any]", schema), extras=extras)


def write_output(into: dict[str, Any], output: OutputFormat | None, effort: str | None) -> None:
    """Add the form of the answer and the effort to a request's body."""
    given = into.get("output_config")
    config: dict[str, Any] = dict(cast("dict[str, Any]", given)) if isinstance(given, dict) else {}
    if effort is not None:
        config["effort"] = effort
    if output is not None and output.kind == "schema":
        value = extras_of(output.extras, SHAPE)
        place = value.pop(_PLACE, None)
        value.update({"type": "json_schema", "schema": output.schema or {}})
        (into if place == _OLD else config)[_OLD if place == _OLD else "format"] = value
    if config:
        into["output_config"] = config
