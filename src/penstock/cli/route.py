"""`penstock route`: what there is to know of a route."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from penstock.adapters.prices.cache import load_book
from penstock.cli import learning
from penstock.cli.control import control, control_options
from penstock.cli.explaining import question_of, question_options, show
from penstock.cli.files import DEFAULT_FILE, config_path, state_dir
from penstock.cli.route_health import health
from penstock.cli.route_ledger import ab, shares
from penstock.cli.route_mirror import mirror_command
from penstock.cli.route_parity import parity_command
from penstock.cli.route_scores import scores
from penstock.compile.targets import CompileError
from penstock.config.load import ConfigError, load_file
from penstock.config.problem import suggestion
from penstock.control.route_card import route_card
from penstock.control.route_card_text import route_card_text


@click.group()
def route() -> None:
    """Look at routes, train and tune them."""


for _command in (learning.train, learning.evaluate, learning.tune):
    route.add_command(_command)


route.add_command(health)


@route.command()
@click.argument("name")
@click.argument("request", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@question_options
@control_options
def explain(
    name: str, request: Path, *, as_json: bool, file: Path | None, state: Path | None, **options: Any
) -> None:
    """Print where a running gateway would lead a REQUEST (a file with its body) to the route NAME, and why.

    Unlike `penstock check --explain` it knows how targets are doing: which are left out, how fast they are,
    how long their answers. Nothing is sent to any provider.
    """
    question = msgspec.json.decode(msgspec.json.encode(question_of(request, "", options)))
    del question["route"]
    with control(file, state) as client:
        told = client.explain_route(name, question)
    if not told["live"] and not as_json:
        click.echo("no gateway runs here: this is what the configuration alone says", err=True)
    show(told, as_json=as_json)


@route.command()
@click.argument("name")
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def card(name: str, file: Path | None, *, as_json: bool) -> None:
    """Print the application card of the route NAME, as Markdown.

    Who may use it, where its requests go, what is known of those vendors and since when, what is required,
    limits, guards, and what is kept where. No secret is read.
    """
    path = config_path(file)
    if path is None:
        raise click.ClickException(f"no {DEFAULT_FILE} here; name a file with -c")
    try:
        document = load_file(path, os.environ)
    except ConfigError as error:
        raise click.ClickException(f"the configuration is not valid\n{error}") from None
    if name not in document.routes:
        hint = suggestion(name, document.routes) or f"routes: {', '.join(document.routes) or 'none'}"
        raise click.ClickException(f"no route {name!r}; {hint}")
    try:
        made = route_card(document, name, datetime.now(UTC).date(), load_book(state_dir(path, None).cache))
    except CompileError as error:
        raise click.ClickException(str(error)) from None
    click.echo(msgspec.json.encode(made) if as_json else route_card_text(made))


route.add_command(ab)
route.add_command(shares)
route.add_command(mirror_command)
route.add_command(scores)
route.add_command(parity_command)
