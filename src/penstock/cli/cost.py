"""`penstock cost`: what was spent, by whom, for what, and how much of it is not known exactly."""

from __future__ import annotations

import click
import msgspec
from click.core import ParameterSource
from rich.table import Table

from penstock.adapters.ledger.reading import CostLine, LedgerReader, ReportedLine
from penstock.cli.ledger_options import (
    console,
    dollars,
    group_columns,
    grouping_options,
    names,
)


@click.command()
@grouping_options(by="route,model", since="7d")
@click.option(
    "--reported",
    is_flag=True,
    help="Compare with the costs that vendors' answers carry; by model, unless --by says otherwise.",
)
@click.pass_context
def cost(
    context: click.Context, ledger: LedgerReader, *, by: str, since: int, as_json: bool, reported: bool
) -> None:
    """Sum cost, requests and tokens by any of the ledger's names, the dearest first.

    Requests without a known price are counted as unpriced and never as free; the estimated share is what
    rests on counts that the provider did not report.
    """
    if reported:
        named = context.get_parameter_source("by") is not ParameterSource.DEFAULT
        _compare(ledger, names(by) if named else ["model"], since, as_json=as_json)
        return
    lines = ledger.cost(names(by), since)
    totals = ledger.cost([], since)
    total = totals[0] if totals else CostLine({}, 0, 0, 0, 0, 0, 0, 0)
    if as_json:
        told = {"since_ms": since, "lines": lines, "total": total, "saved": ledger.saved(since)._asdict()}
        click.echo(msgspec.json.encode(told))
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
    saved = ledger.saved(since)
    if saved.hits:
        answers = "1 answer" if saved.hits == 1 else f"{saved.hits:,} answers"
        out.print(f"{answers} came from the cache and saved {dollars(saved.nanousd)}.")
    if total.unpriced:
        out.print(
            f"[yellow]{total.unpriced} of {total.requests} requests have no price and are not in these sums;"
            " give their deployments a price.[/yellow]"
        )


def _compare(ledger: LedgerReader, by: list[str], since: int, *, as_json: bool) -> None:
    lines = ledger.reported(by, since)
    totals = ledger.reported([], since)
    total = totals[0] if totals else ReportedLine({}, 0, 0, 0, 0, 0, 0)
    if as_json:
        click.echo(msgspec.json.encode({"since_ms": since, "lines": lines, "total": total}))
        return
    out = console()
    if not lines:
        out.print("No answer carried a cost; OpenRouter's, xAI's and Perplexity's do.")
        return
    table = Table(box=None, header_style="bold", show_footer=True)
    group_columns(table, by)
    for title, footer in zip(
        ("requests", "ours", "reported", "difference", "of ours"), _compared(total), strict=True
    ):
        table.add_column(title, justify="right", no_wrap=True, footer=footer)
    for line in lines:
        table.add_row(*line.group.values(), *_compared(line))
    out.print(table)
    if total.unpriced:
        out.print(
            f"[yellow]{total.unpriced} of {total.requests} requests have no price of ours; their vendors report"
            f" {dollars(total.unpriced_reported_nanousd)}, which is not in these sums.[/yellow]"
        )


def _compared(line: ReportedLine) -> list[str]:
    share = f"{line.difference_nanousd / line.cost_nanousd:+.1%}" if line.cost_nanousd else "-"
    return [
        f"{line.requests:,}",
        dollars(line.cost_nanousd, line.unpriced),
        dollars(line.reported_nanousd),
        dollars(line.difference_nanousd).replace("$-", "-$"),
        share,
    ]


def _cells(line: CostLine) -> list[str]:
    share = line.estimated_nanousd / line.cost_nanousd if line.cost_nanousd else 0.0
    return [
        *(f"{count:,}" for count in (line.requests, line.errors, line.input_tokens, line.output_tokens)),
        dollars(line.cost_nanousd, line.unpriced),
        f"{share:.1%}",
    ]
