"""`penstock top`: who is busy just now, how fast, at what cost."""

from __future__ import annotations

import click
import msgspec
from rich.table import Table

from penstock.adapters.ledger.reading import LedgerReader
from penstock.cli.ledger_options import (
    console,
    dollars,
    group_columns,
    grouping_options,
    names,
)


@click.command()
@grouping_options(by="route", since="15m")
def top(ledger: LedgerReader, *, by: str, since: int, as_json: bool) -> None:
    """Show requests, errors, latency and cost of the last minutes, the busiest first."""
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
