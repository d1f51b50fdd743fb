"""`penstock metering`: what is billed, for other systems."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from msgspec.structs import replace

from penstock.adapters.ledger.reading import LedgerReader
from penstock.cli.ledger_options import reads_ledger, since_ms
from penstock.core.metering import Metered, MeteringError, MeteringQuery, cursor_of
from penstock.core.metering_text import Format, lines_of


@click.group()
def metering() -> None:
    """Export what is billed."""


@metering.command()
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True, help="How."
)
@click.option(
    "--since", callback=since_ms, default="1970-01-01", help="Of requests from then on: 7d, 2026-05-01."
)
@click.option("--until", help="Of requests before then.")
@click.option("--org", help="Of this organisation.")
@click.option("--team", help="Of this team.")
@click.option("--user", help="Of this user.")
@click.option("--key", help="With this key.")
@click.option("--route", help="On this route.")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="With this tag; may be given again.")
@click.option("--cursor", help="Behind this event: the `cursor` of the last one that you have.")
@click.option(
    "--cursor-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Go on behind what this file names, and write there how far this came.",
)
@reads_ledger
@click.pass_context
def export(
    ctx: click.Context,
    ledger: LedgerReader,
    *,
    form: Format,
    since: int,
    until: str | None,
    tags: tuple[str, ...],
    cursor: str | None,
    cursor_file: Path | None,
    **said: str | None,
) -> None:
    """Print one event for each exchange in the ledger, in the order in which it took them.

    An event's `id` stays the same however often it is exported. `charged_nanousd` is exact; the sum of it is
    what `penstock cost` says.
    """
    pairs = [tag.partition("=") for tag in tags]
    if any(not name or not sign for name, sign, _ in pairs):
        raise click.BadParameter("write NAME=VALUE", param_hint="--tag")
    if cursor is not None and cursor_file is not None:
        raise click.UsageError("give --cursor or --cursor-file, not both")
    if cursor_file is not None and cursor_file.exists():
        cursor = cursor_file.read_text().strip() or None
    last: list[str] = []
    try:
        query = MeteringQuery(
            since_ms=since,
            until_ms=since_ms(ctx, ctx.command.params[0], until) if until is not None else None,
            tags={name: value for name, _, value in pairs},
            after=cursor_of(cursor) if cursor is not None else None,
            org=said["org"],
            team=said["team"],
            user=said["user"],
            key=said["key"],
            route=said["route"],
        )
        for line in lines_of(_all(ledger, query, last), form):
            click.echo(line, nl=False)
    except MeteringError as error:
        raise click.ClickException(str(error)) from None
    sys.stdout.flush()
    if cursor_file is not None and last:
        draft = cursor_file.with_name(f".{cursor_file.name}.new")
        draft.write_text(last[0] + "\n")
        os.replace(draft, cursor_file)  # noqa: PTH105 - in one step, after everything was printed


def _all(ledger: LedgerReader, query: MeteringQuery, last: list[str]) -> Iterator[Metered]:
    """Page by page; `last` has the cursor of what was given last."""
    while found := ledger.metered(query):
        for each in found:
            yield each
            last[:] = [each.cursor.text()]
        query = replace(query, after=found[-1].cursor)
