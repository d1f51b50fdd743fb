"""What `penstock check --explain` and `penstock route explain` have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import click
import msgspec

from penstock.admission.tags import read_tags
from penstock.core.errors import Refusal
from penstock.core.question import Question
from penstock.routing.explain import explained_text

P = ParamSpec("P")
R = TypeVar("R")
_OPTIONS = (
    ("path", "The request's path, such as /v1/messages; without it the body tells."),
    ("key", "The name of the key that asks."),
    ("user", "The user on whose behalf."),
    ("tags", "Tags, as in x-penstock-tags: feature=search,session=s1."),
)


def question_options(command: Callable[P, R]) -> Callable[P, R]:
    """Who asks, and how."""
    chance = click.FloatRange(0, 1, max_open=True)
    command = click.option(
        "--draw", type=chance, default=0.5, show_default=True, help="What chance would draw."
    )(command)
    for name, text in reversed(_OPTIONS):
        command = click.option(f"--{name}", default="", help=text)(command)
    return command


def question_of(file: Path, route: str, options: dict[str, Any]) -> Question:
    """The question that the options of a command are."""
    try:
        body = msgspec.json.decode(file.read_bytes(), type=msgspec.Raw)
        tags = read_tags(str(options["tags"]).encode(), {}, {})
    except msgspec.DecodeError as error:
        raise click.ClickException(f"{file} is not JSON: {error}") from None
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from None
    return Question(
        body=body,
        path=options["path"],
        route=route,
        key=options["key"],
        tags=tags,
        user=options["user"],
        draw=options["draw"],
    )


def show(told: dict[str, Any], *, as_json: bool) -> None:
    """Print an explanation."""
    if as_json:
        click.echo(msgspec.json.encode(told))
        return
    seen = cast("dict[str, Any]", told["request"])
    tags = cast("dict[str, str]", seen.pop("tags"))
    facts = [f"{name}={value}" for name, value in seen.items() if value not in (None, "")]
    facts += [f"tag {name}={value}" for name, value in tags.items()]
    click.echo(f"request: {', '.join(facts)}")
    click.echo(explained_text(told))
