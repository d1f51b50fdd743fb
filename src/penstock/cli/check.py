"""`penstock check`: is this configuration valid?"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from penstock.adapters.prices.cache import load_book
from penstock.cli.explaining import question_of, question_options, show
from penstock.cli.files import config_path, state_dir
from penstock.compile.dry import dry_plan
from penstock.compile.review import Notice, review
from penstock.compile.sources import sources
from penstock.compile.targets import CompileError
from penstock.config.document import Document
from penstock.config.load import ConfigError, load_file
from penstock.core.errors import Refusal
from penstock.core.question import Question
from penstock.pipeline.explaining import explained, not_live
from penstock.routing.resolve import Resolver


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("-c", "--config", type=click.Path(path_type=Path), help="The same as FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--explain",
    "request",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A request's body, of any dialect: print where it would be led, and why.",
)
@click.option("--route", default="", help="The route that is explained, instead of the body's model.")
@question_options
def check(
    file: Path | None,
    config: Path | None,
    request: Path | None,
    route: str,
    *,
    as_json: bool,
    **options: Any,
) -> None:
    """Read FILE (default penstock.yaml) and report everything that is wrong with it, each with its line.

    With --explain, what is printed is the policy of the request's route as it is walked: which targets would be
    tried, in which order, and why each was kept or dropped. How targets are doing is known to running gateways
    only: `penstock route explain` asks one. The options after it say who asks.
    """
    path = config_path(file or config)
    if path is None:
        raise click.ClickException("no penstock.yaml here; name a file")
    try:
        document = load_file(path, os.environ)
    except ConfigError as error:
        _refuse(path, error, as_json=as_json)
    if request is not None:
        _explain(document, path, question_of(request, route, options), as_json=as_json)
        return
    notices = review(document, datetime.now(UTC).date())
    hints = _hints(document)
    if as_json:
        told: dict[str, Any] = {"file": str(path), "valid": True, "problems": []}
        for name, found in (("warnings", notices), ("hints", hints)):
            told[name] = [{"path": each.path, "message": each.message} for each in found]
        click.echo(json.dumps(told))
        return
    for each in notices:
        click.echo(f"warning: {each}", err=True)
    for each in hints:
        click.echo(f"hint: {each}", err=True)
    click.echo(
        f"{path} is valid: {len(document.providers)} providers, {len(document.deployments)} deployments, "
        f"{len(document.routes)} routes, {len(document.keys)} keys"
    )


def _hints(document: Document) -> list[Notice]:
    try:
        return list(sources(document, dry_plan(document, int(datetime.now(UTC).timestamp() * 1000))))
    except CompileError:
        return []  # said by whoever compiles it with its secrets


def _refuse(path: Path, error: ConfigError, *, as_json: bool) -> NoReturn:
    if as_json:
        problems = [
            {"path": p.path, "line": p.line, "column": p.column, "message": p.message, "hint": p.hint}
            for p in error.problems
        ]
        click.echo(json.dumps({"file": str(path), "valid": False, "problems": problems}))
    else:
        click.echo(str(error), err=True)
    sys.exit(1)


def _explain(document: Document, path: Path, question: Question, *, as_json: bool) -> None:
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    try:
        plan = dry_plan(document, now_ms, load_book(state_dir(path, None).cache))
        told = explained(plan, Resolver(plan, now_ms), question, not_live(now_ms))
    except (CompileError, Refusal) as error:
        raise click.ClickException(str(error)) from None
    show(told, as_json=as_json)
