"""`penstock logs`: the ledger's exchanges, newest last."""

from __future__ import annotations

from typing import Any

import click
import msgspec
from rich.table import Table

from penstock.adapters.ledger.reading import LedgerReader
from penstock.cli.ledger_options import console, dollars, reads_ledger, since_ms

_encode = msgspec.json.Encoder().encode


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--since",
    callback=since_ms,
    default="1970-01-01",
    help="Only exchanges since then: 15m, 6h, 1d, 2026-05-01.",
)
@click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, help="The newest N; 0: all."
)
@reads_ledger
def logs(ledger: LedgerReader, *, as_json: bool, since: int, limit: int) -> None:
    """Show the exchanges in the ledger, one a line, the newest last.

    Costs are integers of nano-dollars in JSON; null means that no price was known.
    """
    found = ledger.exchanges(since, limit)
    if as_json:
        for each in found:
            click.echo(_encode(each))
    else:
        console().print(_table(list(found)))


def _table(exchanges: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("time", no_wrap=True)
    for title in ("route", "target", "end"):
        table.add_column(title, min_width=6, overflow="fold")
    for title in ("tries", "in", "out", "cost", "ms"):
        table.add_column(title, justify="right", no_wrap=True)
    for each in exchanges:
        ok = each["outcome"] == "ok"
        table.add_row(
            each["ts"][5:19].replace("T", " "),
            *(each["route"], each["target"]),
            str(each["status"]) if ok else f"{each['outcome']} {each['code'] or each['status']}",
            *(str(each["attempts"]), str(each["usage"]["input"]), str(each["usage"]["output"])),
            dollars(each["cost_nanousd"]) + ("~" if each["usage_source"] == "estimated" else ""),
            f"{each['total_ms']:.0f}",
        )
    estimated = any(each["usage_source"] == "estimated" for each in exchanges)
    table.caption = "~ estimated: the provider reported no usage" if estimated else None
    return table
