"""`penstock route ab` and `penstock route shares`: what the ledger says of routes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.table import Table

from penstock.adapters.ledger.reading import CostLine, LedgerReader
from penstock.cli.files import config_path
from penstock.cli.ledger_options import console, dollars, reads_ledger, since_ms
from penstock.config.load import ConfigError, load_file
from penstock.core.comparison import Arm, Difference, Interval, Tally, arm_of, difference
from penstock.core.ids import OWN_MARK

_DECISIONS = {
    "better": "stop: it is better",
    "worse": "stop: it is worse",
    "no worse": "stop: it is no worse than the margin allows",
    "go on": "go on: not enough is known",
}


class Share(msgspec.Struct, frozen=True):
    """One provider's part of a route's traffic and spending."""

    route: str
    provider: str
    requests: int
    requests_share: float
    cost_nanousd: int
    cost_share: float | None
    unpriced: int


@click.command()
@click.argument("name")
@click.option(
    "--margin", type=click.FloatRange(0, 1), default=0.02, show_default=True, help="What is no worse."
)
@click.option("--since", callback=since_ms, default="30d", show_default=True, help="How far back: 6h, 7d.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@reads_ledger
def ab(ledger: LedgerReader, *, name: str, margin: float, since: int, as_json: bool) -> None:
    """Compare the arms of the route NAME, and say whether enough is known to stop.

    Success is the route's own (`success`), costs are sums of exact money, latencies those of successful
    answers, scores what judges and `/v1/feedback` said of them. Every arm is compared with the first by name.
    Decisions may be looked at as often as one likes: their bounds hold for all looks together, unlike the
    intervals beside them, which hold for one.
    """
    tallies = tallied(ledger.exchanges(since, 0), name, ledger.scored(since))
    if not tallies:
        raise click.ClickException(
            f"no exchange of the route {name!r} has an arm since then; an ab node in its policy gives them one"
        )
    base = min(tallies)
    arms = [arm_of(arm, tally) for arm, tally in sorted(tallies.items())]
    found = [
        difference(arm, tally, base, tallies[base], margin)
        for arm, tally in sorted(tallies.items())
        if arm != base
    ]
    if as_json:
        told = {"route": name, "since_ms": since, "margin": margin, "arms": arms, "differences": found}
        click.echo(msgspec.json.encode(told))
        return
    _show(arms, found)


def tallied(
    rows: Iterable[dict[str, Any]], route: str, scored: Mapping[str, Mapping[str, float]] | None = None
) -> dict[str, Tally]:
    """What the ledger's exchanges say of each arm of a route, without those that a client broke off.

    `scored`: what was said of requests, by name.
    """
    tallies: dict[str, Tally] = {}
    for row in rows:
        arm = row["notes"].get("arm")
        if row["route"] != route or not arm or row["outcome"] == "cancelled":
            continue
        tally = tallies.setdefault(arm, Tally())
        tally.add(success=row["success"], cost_nanousd=row["cost_nanousd"], total_ms=row["total_ms"])
        for score, value in (scored or {}).get(row.get("request_id", ""), {}).items():
            tally.judge(score, value)
    return tallies


def _show(arms: list[Arm], differences: list[Difference]) -> None:
    out = console()
    table = Table(box=None, header_style="bold")
    for title in ("arm", "requests", "success", "cost per request", "cost per success", "p50 ms", "p95 ms"):
        table.add_column(title, justify="left" if title == "arm" else "right", no_wrap=True)
    for arm in arms:
        each = f"${arm.cost_usd_per_success:.6f}" if arm.cost_usd_per_success is not None else "-"
        table.add_row(
            arm.name,
            f"{arm.n:,}",
            _span(arm.success, "{:.1%}"),
            _span(arm.cost_usd_mean, "${:.6f}"),
            each,
            _span(arm.p50_ms, "{:.0f}"),
            _span(arm.p95_ms, "{:.0f}"),
        )
    out.print(table)
    for arm in arms:
        for score, told in arm.scores.items():
            out.print(f"{arm.name}: {score} {_span(told.mean, '{:.3f}')} of {told.n:,} answers")
    for one in differences:
        out.print(
            f"\n{one.arm} less {one.than}: success {_span(one.success, '{:+.1%}')}, "
            f"cost {_span(one.cost_usd_mean, '{:+.6f}')}\n"
            f"  at every look {_span(one.always, '{:+.1%}')}: {_DECISIONS[one.decision]}"
        )
        for score, each in one.scores.items():
            out.print(
                f"  {score} {_span(each.mean, '{:+.3f}')}, "
                f"at every look {_span(each.always, '{:+.3f}')}: {_DECISIONS[each.decision]}"
            )


def _span(interval: Interval, shape: str) -> str:
    if interval.value is None:
        return "-"
    low, high = (
        shape.format(bound) if bound is not None else "…" for bound in (interval.lower, interval.upper)
    )
    return f"{shape.format(interval.value)} ({low} to {high})"


@click.command()
@click.argument("name", required=False)
@click.option("--since", callback=since_ms, default="7d", show_default=True, help="How far back: 6h, 7d.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@reads_ledger
def shares(ledger: LedgerReader, *, name: str | None, since: int, as_json: bool) -> None:
    """Print each provider's share of the traffic and the spending of the route NAME, or of every route.

    An exchange counts for the provider that answered it. Deployments are counted with the providers that
    penstock.yaml names; one that stands there no longer counts by its own name.
    """
    found = shared(ledger.cost(["route", "target"], since), _providers(), name)
    if as_json:
        click.echo(msgspec.json.encode({"since_ms": since, "shares": found}))
        return
    out = console()
    if not found:
        out.print("No exchange since then.")
        return
    table = Table(box=None, header_style="bold")
    for title in ("route", "provider", "requests", "share", "cost", "share of cost"):
        table.add_column(title, justify="left" if title in {"route", "provider"} else "right", no_wrap=True)
    for one in found:
        spent = f"{one.cost_share:.1%}" if one.cost_share is not None else "-"
        cost = dollars(one.cost_nanousd, one.unpriced)
        table.add_row(one.route, one.provider, f"{one.requests:,}", f"{one.requests_share:.1%}", cost, spent)
    out.print(table)


def shared(lines: Iterable[CostLine], providers: dict[str, str], route: str | None) -> list[Share]:
    """Sums by route and provider, the busiest first within each route."""
    sums: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        target = line.group["target"]
        if not target or (route is not None and line.group["route"] != route):
            continue
        head = target.partition("/")[0].partition(OWN_MARK)[0]
        at = (line.group["route"], providers.get(head, head))
        each = sums.setdefault(at, [0, 0, 0])
        for index, more in enumerate((line.requests, line.cost_nanousd, line.unpriced)):
            each[index] += more
    found: list[Share] = []
    for (name, provider), (requests, cost, unpriced) in sums.items():
        all_requests = sum(each[0] for at, each in sums.items() if at[0] == name)
        all_cost = sum(each[1] for at, each in sums.items() if at[0] == name)
        share = cost / all_cost if all_cost else None
        found.append(Share(name, provider, requests, requests / all_requests, cost, share, unpriced))
    return sorted(found, key=lambda one: (one.route, -one.requests, one.provider))


def _providers() -> dict[str, str]:
    """The providers of the deployments in the configuration file, as far as there is one."""
    context = click.get_current_context()
    given = context.params.get("config")
    path = config_path(given if isinstance(given, Path) else None)
    if path is None:
        return {}
    try:
        document = load_file(path, os.environ)
    except ConfigError:
        return {}
    return {name: each.provider for name, each in document.deployments.items()}
