"""`penstock users create`, `password`, `logout` and `unlink`: people who log in to the control plane."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

import click

from penstock.cli.control import control, control_options, say_json, why_option
from penstock.client import Client
from penstock.client.calls import NO_ORG, PREFIX, Call
from penstock.client.models import Ended

_ORG = click.option("--org", required=True, help="The organisation; `-` for none.")
_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


def _path(org: str, name: str, what: str) -> str:
    place = NO_ORG if org in ("", NO_ORG) else quote(org, safe="")
    return f"{PREFIX}/orgs/{place}/users/{quote(name, safe='')}/{what}"


def _asked(*, stdin: bool) -> str:
    """The password: on a terminal asked for twice, never an argument that other users of the machine see."""
    if stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return click.prompt("Password", hide_input=True, confirmation_prompt=True)


def _set(client: Client, org: str, name: str, password: str) -> Ended:
    return client.send(_call("PUT", _path(org, name, "password"), {"password": password}))


def _call(method: str, path: str, body: dict[str, str] | None = None) -> Call[Ended]:
    return Call(method, path, Ended, body=body)


@click.command()
@click.argument("name")
@_ORG
@click.option(
    "--role", type=click.Choice(["owner", "admin", "member", "viewer", "auditor"]), help="Grant it, too."
)
@click.option("--team", help="The team that the role is for; without it, the whole organisation.")
@click.option("--email", help="The person's address.")
@_STDIN
@why_option
@control_options
def create(
    name: str,
    org: str,
    role: str | None,
    team: str | None,
    email: str | None,
    reason: str,
    file: Path | None,
    state: Path | None,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Make a person who can log in, with a password and, if you say so, a role."""
    password = _asked(stdin=password_stdin)
    place = "" if org == NO_ORG else org
    with control(file, state) as client:
        spec = {key: value for key, value in (("email", email), ("teams", [team] if team else None)) if value}
        item = client.users.put(name, spec, org=place, version=0, reason=reason)
        if role is not None:
            binding = {"user": name, "role": role, **({"team": team} if team else {})}
            client.role_bindings.put(f"{name}-{role}", binding, org=place, reason=reason)
        _set(client, org, name, password)
    if as_json:
        say_json(item)
    else:
        click.echo(f"{name} can log in", err=True)


@click.command()
@click.argument("name")
@_ORG
@_STDIN
@click.option("--remove", is_flag=True, help="Remove it: they log in at an identity provider alone.")
@control_options
def password(
    name: str,
    org: str,
    file: Path | None,
    state: Path | None,
    *,
    password_stdin: bool,
    remove: bool,
    as_json: bool,
) -> None:
    """Set a person's password; whoever is logged in as this person is not any more."""
    given = "" if remove else _asked(stdin=password_stdin)
    with control(file, state) as client:
        ended = (
            client.send(_call("DELETE", _path(org, name, "password")))
            if remove
            else _set(client, org, name, given)
        )
    _say(ended, as_json=as_json)


@click.command()
@click.argument("name")
@_ORG
@control_options
def logout(name: str, org: str, file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """End all sessions of a person."""
    with control(file, state) as client:
        ended = client.send(_call("DELETE", _path(org, name, "sessions")))
    _say(ended, as_json=as_json)


@click.command()
@click.argument("name")
@_ORG
@control_options
def unlink(name: str, org: str, file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Forget whom identity providers mean by a person: the next one who logs in under the name is it."""
    with control(file, state) as client:
        ended = client.send(_call("DELETE", _path(org, name, "identities")))
    _say(ended, as_json=as_json)


def _say(ended: Ended, *, as_json: bool) -> None:
    if as_json:
        say_json(ended)
    else:
        click.echo(f"{ended.ended} sessions ended", err=True)


COMMANDS: tuple[click.Command, ...] = (create, password, logout, unlink)
