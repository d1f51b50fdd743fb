"""`penstock route scores`: how good the answers of each target are of late, and what was said of them."""

from __future__ import annotations

import time
from typing import Any

import click
import msgspec
from rich.table import Table

from penstock.adapters.ledger.judgements import FOREIGN, REPLACED, UNKNOWN, WAITING, WORDS
from penstock.adapters.ledger.reading import LedgerReader, SaidLine
from penstock.cli.ledger_options import console, reads_ledger
from penstock.core.scores import HALF_LIFE_S, REMEMBERED, Estimate, estimates

MOST = 10_000
_STATES = {
    WAITING: "waits for its request",
    REPLACED: "replaced by a later one",
    WORDS: "without a score",
    FOREIGN: "about a request of somebody else's",
    UNKNOWN: "about a request that nobody knows",
}


@click.command()
@click.argument("name", required=False)
@click.option("--half-life", type=float, default=HALF_LIFE_S / 3600, show_default=True, help="Hours.")
@click.option("--cohorts", is_flag=True, help="Each cohort besides everybody.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@reads_ledger
def scores(ledger: LedgerReader, *, name: str | None, half_life: float, cohorts: bool, as_json: bool) -> None:
    """Print the live scores of the route NAME, or of every route, by target.

    They come from the route's quality gate (`success`), from judges (`evals.judge`) and from `/v1/feedback`.
    After each half-life a judgement counts half as much; the interval is that of 95 %.
    """
    now_ms = time.time_ns() // 1_000_000
    life_s = half_life * 3600
    since = now_ms - int(life_s * REMEMBERED * 1000)
    found = [
        each
        for each in estimates(ledger.judgements(since), now_ms, lambda _route: life_s, MOST)
        if (name is None or each.route == name) and (cohorts or not each.cohort)
    ]
    found.sort(key=lambda each: (each.route, each.name, each.target, each.cohort))
    left_out = [line for line in ledger.said(since, name) if line.state in _STATES]
    if as_json:
        told = [{**_told(each), "cohort": each.cohort} for each in found]
        lost = [{**msgspec.structs.asdict(line), "state": _STATES[line.state]} for line in left_out]
        click.echo(msgspec.json.encode({"scores": told, "not_counted": lost}))
        return
    _show(found, left_out, cohorts=cohorts)


def _told(each: Estimate) -> dict[str, Any]:
    score = each.score(0.0)
    bounds = {"score": score.mean, "lower": score.lower, "upper": score.upper} if score is not None else {}
    return {"route": each.route, "target": each.target, "name": each.name, "n": round(each.n, 2), **bounds}


def _show(found: list[Estimate], left_out: list[SaidLine], *, cohorts: bool) -> None:
    out = console()
    if not found:
        out.print("Nothing was answered or judged of late.")
    else:
        table = Table(box=None, header_style="bold")
        titles = ("route", "score", "target", *(("cohort",) if cohorts else ()), "n", "mean", "95 %")
        for title in titles:
            table.add_column(title, justify="right" if title in {"n", "mean"} else "left", no_wrap=True)
        for each in found:
            score = each.score(0.0)
            if score is not None:
                spot = (each.route, each.name, each.target, *((each.cohort or "all",) if cohorts else ()))
                table.add_row(
                    *spot, f"{score.n:.1f}", f"{score.mean:.3f}", f"{score.lower:.3f} to {score.upper:.3f}"
                )
        out.print(table)
    for line in left_out:
        what = f"{line.count:,} of {line.source} {line.name}" + (f" ({line.label})" if line.label else "")
        out.print(f"not counted: {what}: {_STATES[line.state]}")
