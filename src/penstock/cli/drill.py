"""`penstock drill`: live traffic to a fallback for a while, to know that it would do when it has to."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from penstock.cli.control import control, control_options, say_json, why_option
from penstock.cli.ledger_options import span_s
from penstock.client import Client

LOOK_S = 1.0
# How long the ledger may take to know of a drill that has ended.
RECORD_S = 15.0
_RATIO = click.FloatRange(min=1, min_open=True)
_BAD = frozenset({"stopped", "interrupted"})


@click.command()
@click.argument("route", required=False)
@click.option("--to", "target", help="The fallback, one of the route's targets.")
@click.option(
    "--percent", type=click.FloatRange(1, 5), default=1.0, show_default=True, help="Of those who ask."
)
@click.option(
    "--for", "span", callback=span_s, default="15m", show_default=True, help="How long: 90s, 15m, 1h."
)
@click.option("--max-cost-ratio", type=_RATIO, default=2.0, show_default=True, help="Times the usual cost.")
@click.option("--max-slowdown", type=_RATIO, default=3.0, show_default=True, help="Times the usual time.")
@click.option("--detach", is_flag=True, help="Do not wait for its end.")
@click.option("--stop", is_flag=True, help="Stop the drill of ROUTE, or all of them.")
@why_option
@control_options
def drill(
    route: str | None,
    *,
    target: str | None,
    span: float,
    detach: bool,
    stop: bool,
    reason: str,
    as_json: bool,
    file: Path | None,
    state: Path | None,
    **asked: float,
) -> None:
    """Lead a share of ROUTE's live traffic to its fallback first, and compare it with the usual way.

    Errors, answers that break what was asked for, costs and times are watched; where one is worse for sure, the
    drill stops by itself and says why. Without a ROUTE, drills under way and the last ones are listed. The exit
    code is 1 where a drill went wrong.
    """
    with control(file, state) as client:
        if stop:
            _stop(client, route, reason)
        elif route is None:
            _list(client.drills(), as_json=as_json)
        elif target is None:
            raise click.UsageError("say which fallback with --to, or --stop the drill")
        else:
            begun = client.begin_drill(route, {"to": target, "for_s": span, "reason": reason, **asked})
            for why in begun["refused"]:
                click.echo(f"one gateway takes no part: {why}", err=True)
            if detach:
                click.echo(begun["id"])
                return
            click.echo(f"{begun['id']}: {asked['percent']:g} % of {route} to {target}", err=True)
            _follow(client, begun["id"], as_json=as_json)


def _stop(client: Client, route: str | None, reason: str) -> None:
    routes = [route] if route is not None else sorted({each["route"] for each in client.drills()["running"]})
    for each in routes:
        client.stop_drill(each, reason=reason)
        click.echo(f"stopped the drill of {each}")
    if not routes:
        click.echo("no drill is under way")


def _follow(client: Client, drill_id: str, *, as_json: bool) -> None:
    """Wait for its end and tell what came of it. Ctrl-C leaves it running."""
    until = float("inf")
    while time.monotonic() < until:
        told = client.drills()
        running = [each for each in told["running"] if each["id"] == drill_id]
        ended = [each for each in told["last"] if each["id"] == drill_id]
        if not running and ended:
            if as_json:
                say_json(ended)
            for each in ended:
                if not as_json:
                    _tell(each)
            if any(each["verdict"] in _BAD for each in ended):
                raise SystemExit(1)
            return
        if not running and until == float("inf"):
            until = time.monotonic() + RECORD_S
        time.sleep(LOOK_S)
    raise click.ClickException(
        "it has ended, and the ledger does not know of it yet; ask `penstock drill` later"
    )


def _list(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(told)
        return
    for each in told["running"]:
        seen = each["report"]["drilled"]["n"]
        what = f"{each['percent']:g} % to {each['target']}, {each['left_s']:.0f} s left, {seen} requests so far"
        click.echo(f"{each['route']}: under way in {each['gateway']}: {what}")
    for each in told["last"]:
        day = datetime.fromtimestamp(each["began_ms"] / 1000, UTC)
        days = (datetime.now(UTC) - day).days
        what = f"{each['verdict']}: {each['reason']}"
        click.echo(f"{each['route']}: last drill {day:%Y-%m-%d %H:%M}, {days} days ago: {what}")
    if not told["running"] and not told["last"]:
        click.echo("no route was ever drilled here")


def _tell(one: dict[str, Any]) -> None:
    click.echo(f"{one['verdict']}: {one['reason']}")
    report = one["report"]
    for name, side in (("fallback", report["drilled"]), ("usual", report["usual"])):
        cost = f"${side['mean_cost_usd']:.6f}" if side["mean_cost_usd"] is not None else "-"
        took = f"{side['mean_ms']:.0f} ms" if side["mean_ms"] is not None else "-"
        bad = f"{side['failed']} failed, {side['broken']} broke what was asked for"
        click.echo(f"  {name:8}  {side['n']} requests, {bad}, {cost} and {took} each")
        for kind in ("causes", "faults", "kinds"):
            if side[kind]:
                found = ", ".join(f"{what} {n}" for what, n in side[kind].items())
                click.echo(f"            {kind}: {found}")
    for name, of in (("cost_ratio", "cost"), ("time_ratio", "time")):
        if report[name] is not None:
            value, low, high = report[name]
            click.echo(f"  {of} of the fallback: {value:.2f} times the usual ({low:.2f} to {high:.2f})")
