"""`penstock cache stats` and `purge`: kept answers, how much they are of use, and taking some away."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.control import control, control_options, say_json, say_table, without_none

_ROUTES = (
    "gateway",
    "route",
    "exact",
    "semantic",
    "misses",
    "hit_rate",
    "stale",
    "skipped",
    "kept",
    "saved_usd",
)
_STORES = ("gateway", "store", "entries", "bytes", "most", "evicted", "errors")


@click.command()
@control_options
def stats(file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Tell what the gateways of this machine keep, and what became of look-ups since they began."""
    with control(file, state) as client:
        told = client.cache()
    for gateway in told.silent:
        click.echo(f"gateway {gateway} did not answer", err=True)
    if as_json:
        for each in told.items:
            say_json(each)
        return
    routes = [
        [each.gateway, route, *_row(counts)]
        for each in told.items
        for route, counts in sorted(each.routes.items())
    ]
    say_table(_ROUTES, routes)
    stores = [
        [
            each.gateway,
            store.name,
            *_known(store.entries, store.size, store.most, store.evicted),
            str(store.errors),
        ]
        for each in told.items
        for store in each.stores
    ]
    say_table(_STORES, stores)


def _row(counts: dict[str, int]) -> list[str]:
    hits = counts["exact"] + counts["semantic"]
    looked = hits + counts["misses"]
    rate = f"{100 * hits / looked:.1f} %" if looked else ""
    head = [str(counts["exact"]), str(counts["semantic"]), str(counts["misses"]), rate]
    tail = [str(counts["stale"]), str(counts["skipped"]), str(counts["kept"])]
    return [*head, *tail, f"{counts['saved_nanousd'] / 1e9:.6f}"]


def _known(*numbers: int | None) -> list[str]:
    return ["" if number is None else str(number) for number in numbers]


@click.command()
@click.option("--org", help="Of this organisation.")
@click.option("--route", help="Of this route.")
@click.option("--tag", help="Whose requests had this tag (NAME=VALUE).")
@click.option("--key", help="Made with this key.")
@click.option("--user", help="Made for this user.")
@click.option("--entry", help="The one that x-penstock-cache-entry named.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--reason", default="", help="Why, for the audit log.")
@control_options
def purge(
    file: Path | None,
    state: Path | None,
    reason: str,
    *,
    everything: bool,
    as_json: bool,
    **filters: str | None,
) -> None:
    """Take kept answers away, in every gateway: all that is named must hold for one.

    Exits with 1 where a gateway did not say that it serves none of them any more.
    """
    named = without_none(filters)
    if not named and not everything:
        raise click.UsageError("name what is to be taken away, or say --all")
    with control(file, state) as client:
        done = client.purge_cache(reason=reason, **named, **({"all": "true"} if everything else {}))
    failed = [each for each in done.gateways if each.why]
    if as_json:
        say_json(done)
    else:
        for each in done.gateways:
            taken = "all that there were" if each.taken is None else str(each.taken)
            click.echo(f"{each.gateway}: {each.why or f'{taken} taken away'}")
        for gateway in done.silent:
            click.echo(f"gateway {gateway} did not answer", err=True)
    if failed or done.silent:
        raise SystemExit(1)
