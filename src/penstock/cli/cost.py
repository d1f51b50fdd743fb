"""`penstock cost`: what was spent, by whom, for what, and how much of it is not known exactly."""

from __future__ import annotations

import click
import msgspec
from rich.table import Table

from penstock.adapters.sqlite.ledger_read import CostLine, LedgerReader
from penstock.cli.ledger_options import (
    console,
    dollars,
    group_columns,
    grouping_options,
    names,
)


@click.command()
@grouping_options(by="route,model", since="7d")
def cost(ledger: LedgerReader, *, by: str, since: int, as_json: bool) -> None:
    """Sum cost, requests and tokens by any of the ledger's names, the dearest first.

    Requests without a known price are counted as unpriced and never as free; the estimated share is what
    rests on counts that the provider did not report.
    """
    lines = ledger.cost(names(by), since)
    totals = ledger.cost([], since)
    total = totals[0] if totals else CostLine({}, 0, 0, 0, 0, 0, 0, 0)
    if as_json:
        click.echo(msgspec.json.encode({"since_ms": since, "lines": lines, "total": total}))
        return
    table = Table(box=None, header_style="bold", show_footer=True)
    group_columns(table, names(by))
    footers = _cells(total)
    for title, footer in zip(
        ("requests", "errors", "input", "output", "cost", "estimated"), footers, strict=True
    ):
        table.add_column(title, justify="right", no_wrap=True, footer=footer)
    for line in lines:
        table.add_row(*line.group.values(), *_cells(line))
    out = console()
    out.print(table)
    if total.unpriced:
        out.print(
            f"[yellow]{total.unpriced} of {total.requests} requests have no price and are not in these sums;"
            " give their deployments a price.[/yellow]"
        )


def _cells(line: CostLine) -> list[str]:
    share = line.estimated_nanousd / line.cost_nanousd if line.cost_nanousd else 0.0
    return [
        *(f"{count:,}" for count in (line.requests, line.errors, line.input_tokens, line.output_tokens)),
        dollars(line.cost_nanousd, line.unpriced),
        f"{share:.1%}",
    ]
