"""Where a request would be led, and why."""

from __future__ import annotations

from typing import Any

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from penstock.control.api.resources import NamePath
from penstock.control.explaining import explain_route
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane

Schema = dict[str, Any]


@post(
    "/routes/{name:str}/explain",
    operation_id="explain_route",
    summary="Where a request to this route would be led, and why each target is kept or dropped",
    tags=["routes"],
    status_code=200,
    sync_to_thread=True,
)
def explain(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    name: NamePath,
    sent: NamedDependency[dict[str, Any]],
) -> dict[str, Any]:
    """A running gateway is asked; `live` says whether one was there. Nothing is sent to any provider."""
    return explain_route(plane, asker, name, sent)


HANDLERS: list[HTTPRouteHandler] = [explain]


def question_schema() -> Schema:
    """The body of a question."""
    texts = {
        "path": "The request's path; without it the body tells.",
        "key": "The name of the key that asks.",
        "user": "The user on whose behalf.",
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["body"],
        "properties": {
            "body": {"type": "object", "description": "The request's body, of any dialect."},
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
            "draw": {
                "type": "number",
                "minimum": 0,
                "exclusiveMaximum": 1,
                "description": "What chance draws.",
            },
            **{name: {"type": "string", "description": text} for name, text in texts.items()},
        },
    }
