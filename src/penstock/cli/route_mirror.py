"""`penstock route mirror`: what a candidate says, costs and takes beside what is served."""

from __future__ import annotations

import click
import msgspec

from penstock.adapters.ledger.reading import LedgerReader
from penstock.cli.ledger_options import console, reads_ledger, since_ms
from penstock.core.comparison import Interval
from penstock.core.mirror_report import MirrorReport, MirrorSide, reports


@click.command("mirror")
@click.argument("name")
@click.option("--since", callback=since_ms, default="7d", show_default=True, help="How far back: 6h, 7d.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@reads_ledger
def mirror_command(ledger: LedgerReader, *, name: str, since: int, as_json: bool) -> None:
    """Compare the copies that the route NAME sent to a candidate with the answers that they copy.

    Each pair is one request. Intervals are those of 95 %. Texts are not kept; what is kept is whether answers
    say the same, character by character (same text) or but for spacing, case, punctuation and the order of JSON
    members (but for form).
    """
    found = reports(ledger.exchanges(since, 0), name)
    if not found:
        raise click.ClickException(
            f"no request of the route {name!r} was copied since then; routes.{name}.mirror copies a share"
        )
    if as_json:
        click.echo(msgspec.json.encode({"route": name, "since_ms": since, "candidates": found}))
        return
    for one in found:
        _show(one)


def _show(one: MirrorReport) -> None:
    out = console()
    alone = f", {one.alone} copies without their original" if one.alone else ""
    out.print(f"{one.candidate}: {one.pairs:,} pairs{alone}", style="bold")
    for title, side in (("served", one.original), ("candidate", one.copy)):
        out.print(f"  {title:10} {_side(side)}")
    out.print(f"  success of the candidate less that of what is served: {_span(one.success, '{:+.1%}')}")
    out.print(f"  its cost: {_span(one.cost_ratio, '{:.2f}')} times what is served")
    out.print(f"  its time: {_span(one.time_ratio, '{:.2f}')} times")
    out.print(
        f"  same text: {_span(one.same_text, '{:.1%}')}; but for form: {_span(one.same_normal, '{:.1%}')}; "
        f"same end: {_span(one.same_finish, '{:.1%}')}"
    )


def _side(side: MirrorSide) -> str:
    unpriced = f" and {side.unpriced} unpriced" if side.unpriced else ""
    errors = ", ".join(f"{code} {n}" for code, n in side.errors.items())
    times = f"p50 {_span(side.p50_ms, '{:.0f}')} ms, p95 {_span(side.p95_ms, '{:.0f}')} ms"
    told = f"success {_span(side.success, '{:.1%}')}, ${side.cost_usd_total}{unpriced} in all, {times}"
    return f"{told}; errors: {errors}" if errors else told


def _span(interval: Interval, shape: str) -> str:
    if interval.value is None:
        return "-"
    low, high = (
        shape.format(bound) if bound is not None else "…" for bound in (interval.lower, interval.upper)
    )
    return f"{shape.format(interval.value)} ({low} to {high})"
