"""`penstock exchanges`: what is under way just now."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.control import control, control_options, say_json, say_table, without_none

_COLUMNS = ("request_id", "age", "state", "org", "team", "user", "key", "route", "target", "reserved_usd")


@click.group()
def exchanges() -> None:
    """List and stop requests that are under way on this machine."""


@exchanges.command(name="list")
@click.option("--org", help="Of this organisation.")
@click.option("--team", help="Of this team.")
@click.option("--user", help="Of this user.")
@click.option("--key", help="With this key.")
@click.option("--route", help="On this route.")
@click.option("--target", help="At this target.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True, help="At most so many.")
@control_options
def listing(
    file: Path | None,
    state: Path | None,
    limit: int,
    *,
    as_json: bool,
    **filters: str | None,
) -> None:
    """List them, the oldest first."""
    with control(file, state) as client:
        page = client.exchanges(limit=limit, **without_none(filters))
    for gateway in page.silent:
        click.echo(f"gateway {gateway} did not answer", err=True)
    if as_json:
        for each in page.items:
            say_json(each)
        return
    rows = [
        [
            *(each.request_id, f"{each.age_ms / 1000:.1f} s", each.state, each.org, each.team, each.user),
            *(each.key, each.route, each.target or ""),
            f"{each.reserved_nanousd / 1e9:.6f}" if each.reserved_nanousd is not None else "",
        ]
        for each in page.items
    ]
    say_table(_COLUMNS, rows)
    if page.next_cursor is not None:
        click.echo(f"there are more than these {limit}; filter them, or raise --limit", err=True)


@exchanges.command()
@click.argument("request_id")
@click.option("--reason", default="", help="Why, for the audit log.")
@control_options
def kill(file: Path | None, state: Path | None, request_id: str, reason: str, *, as_json: bool) -> None:
    """Stop one: its upstream is cut off, and its client gets 403 exchange_killed."""
    with control(file, state) as client:
        killed = client.kill_exchange(request_id, reason=reason)
    if as_json:
        say_json(killed)
    else:
        click.echo(f"stopped {killed.request_id}")
