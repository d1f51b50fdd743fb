"""`penstock top`: who is busy just now, how fast, at what cost."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.table import Table

from penstock.cli.ledger_options import (
    console,
    dollars,
    group_columns,
    names,
    open_ledger,
    place_options,
    since_ms,
)


@click.command()
@click.option(
    "--by",
    default="route",
    show_default=True,
    help="route, model, key, target, team …, tag.NAME; several with commas.",
)
@click.option("--since", callback=since_ms, default="15m", show_default=True, help="How far back: 5m, 1h, 1d.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@place_options
def top(
    *,
    by: str,
    since: int,
    as_json: bool,
    config: Path | None,
    state_dir: Path | None,
    wait: bool,
    wait_timeout: float,
) -> None:
    """Show requests, errors, latency and cost of the last minutes, the busiest first."""
    with open_ledger(config, state_dir, wait=wait, wait_timeout=wait_timeout) as ledger:
        lines = ledger.top(names(by), since)
    if as_json:
        click.echo(msgspec.json.encode(lines))
        return
    table = Table(box=None, header_style="bold")
    group_columns(table, names(by))
    for title in ("requests", "errors", "p50 ms", "p95 ms", "cost"):
        table.add_column(title, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(
            *line.group.values(),
            *(str(line.requests), str(line.errors), f"{line.p50_ms:.0f}", f"{line.p95_ms:.0f}"),
            dollars(line.cost_nanousd, line.unpriced),
        )
    console().print(table)
