"""`penstock keys`: virtual keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from penstock.cli.control import (
    control,
    control_options,
    say_applied,
    say_json,
    say_table,
    spec_of,
    why_option,
    without_none,
)
from penstock.client import Key


@click.group()
def keys() -> None:
    """Make, list, rotate and revoke virtual keys."""


@keys.command()
@click.argument("name")
@click.option("--org", default="", help="The organisation that pays.")
@click.option("--team", help="Its team.")
@click.option("--user", help="Whose key it is.")
@click.option("--service-account", help="Which program's key it is, instead of a user's.")
@click.option("--route", "routes", multiple=True, help="A route that it may use; without one, all. Repeatable.")
@click.option("--endpoint", "endpoints", multiple=True, help="An endpoint that it may call. Repeatable.")
@click.option("--dialect", "dialects", multiple=True, help="An API shape that it may speak. Repeatable.")
@click.option("--network", "networks", multiple=True, help="Where it may be used from. Repeatable.")
@click.option("--expires", "expires_at", help="When it ends, such as 2026-12-01T12:00:00Z.")
@click.option("--max-tokens", type=int, help="Most output tokens per request.")
@click.option("--direct", is_flag=True, help="It may name deployments and vendors' models, too.")
@click.option("--tag", "tags", multiple=True, help="name=value on each of its requests. Repeatable.")
@click.option("--rpm", type=int, help="Requests per minute.")
@click.option("--tpm", type=int, help="Tokens per minute.")
@click.option("--concurrency", type=int, help="Requests at the same time.")
@click.option("--budget", help="Dollars per window, such as 100/month (hour, day, week, month, total).")
@click.option("--admin-api", is_flag=True, help="It opens the admin API for its user or service account.")
@click.option("--spec", help="The rest of its configuration, as JSON.")
@why_option
@control_options
def create(
    name: str,
    org: str,
    file: Path | None,
    state: Path | None,
    reason: str,
    spec: str | None,
    *,
    as_json: bool,
    **said: Any,
) -> None:
    """Make the key NAME and print its secret, which is shown this once."""
    wanted = {**spec_of(spec, None), **_spec(said)}
    with control(file, state) as client:
        key = client.keys.create(name, org=org, spec=wanted, reason=reason)
    if as_json:
        say_json(key)
        return
    click.echo(key.secret)
    click.echo(f"made the key {key.id}; its secret is not shown again", err=True)
    if key.applied is not None:
        say_applied(key.applied.revision, key.applied.behind, changed=True)


@keys.command(name="list")
@click.option("--org", help="Of this organisation.")
@click.option("--team", help="Of this team.")
@control_options
def listing(file: Path | None, state: Path | None, org: str | None, team: str | None, *, as_json: bool) -> None:
    """List keys; secrets are known by their beginning alone."""
    with control(file, state) as client:
        found = list(client.keys.list(**without_none({"org": org, "team": team})))
    if as_json:
        for key in found:
            say_json(key)
        return
    say_table(
        ("key", "org", "team", "state", "begins with", "expires", "managed by"),
        [
            (
                one.name,
                one.org,
                str(one.spec.get("team", "")),
                one.state,
                one.secret_prefix,
                str(one.spec.get("expires_at", "")),
                one.managed_by,
            )
            for one in found
        ],
    )


@keys.command()
@click.argument("name")
@click.option("--org", default="", help="Its organisation.")
@why_option
@control_options
def revoke(name: str, org: str, file: Path | None, state: Path | None, reason: str, *, as_json: bool) -> None:
    """Refuse the key NAME from now on, for good."""
    with control(file, state) as client:
        _say(client.keys.revoke(name, org=org, reason=reason), "revoked", as_json=as_json)


@keys.command()
@click.argument("name")
@click.option("--org", default="", help="Its organisation.")
@click.option("--overlap", type=int, help="Seconds for which the secret before works on; default a day.")
@why_option
@control_options
def rotate(
    name: str,
    org: str,
    overlap: int | None,
    file: Path | None,
    state: Path | None,
    reason: str,
    *,
    as_json: bool,
) -> None:
    """Give the key NAME a new secret and print it; the one before works on for a while."""
    with control(file, state) as client:
        key = client.keys.rotate(name, org=org, overlap_s=overlap, reason=reason)
    if not as_json:
        click.echo(key.secret)
    _say(key, "gave a new secret to", as_json=as_json)
    if not as_json and key.previous:
        click.echo(f"the secret before works until {key.previous[-1].until}", err=True)


def _say(key: Key, what: str, *, as_json: bool) -> None:
    if as_json:
        say_json(key)
        return
    click.echo(f"{what} the key {key.id}", err=True)
    if key.applied is not None:
        say_applied(key.applied.revision, key.applied.behind, changed=key.applied.changed)


def _spec(said: dict[str, Any]) -> dict[str, Any]:
    limits = without_none({name: said.pop(name) for name in ("rpm", "tpm", "concurrency")})
    budget, tags = said.pop("budget"), dict(_pair(tag) for tag in said.pop("tags"))
    flags = {name: True for name in ("direct", "admin_api") if said.pop(name)}
    lists: dict[str, Any] = {
        name: list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value
        for name, value in said.items()
    }
    return without_none({**lists, "tags": tags, "limits": limits, "budget": _budget(budget), **flags})


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"write --tag name=value, not {text!r}")
    return name, value


def _budget(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    usd, slash, window = text.partition("/")
    try:
        return {"usd": float(usd), "window": window if slash else "total"}
    except ValueError:
        raise click.BadParameter("write --budget as dollars per window, such as 100/month") from None
