"""`penstock orgs`, `teams`, `users`, `service-accounts`, `roles`: whom keys belong to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from penstock.cli import people
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
from penstock.client import Applied, Client, Item
from penstock.client.synchronous import Objects

LONGEST = 80
Decorator = Callable[[Any], Any]


@dataclass(frozen=True)
class _Kind:
    """One kind of object: the client's attribute, what it is called, whether organisations have it."""

    attribute: str
    what: str
    tenant: bool = True

    def objects(self, client: Client) -> Objects[Item]:
        """The client's part that is about it."""
        found: Objects[Item] = getattr(client, self.attribute)
        return found

    def org_option(self, *, required: bool = True) -> Decorator:
        """`--org`, where there is one."""
        if not self.tenant:
            return lambda command: command
        told = "The organisation; `-` for none." if required else "Of this organisation."
        return click.option("--org", required=required, help=told)

    def place(self, org: str | None) -> dict[str, Any]:
        """The organisation as the client takes it."""
        return {"org": "" if org in (None, "-") else org} if self.tenant else {}


def _group(name: str, kind: _Kind) -> click.Group:
    """The commands of one kind of object."""
    group = click.Group(name=name, help=f"List, show, set and delete {kind.what}s.")
    for command in (_list(kind), _show(kind), _set(kind), _delete(kind)):
        group.add_command(command)
    return group


def _list(kind: _Kind) -> click.Command:
    @click.command(name="list", help=f"List {kind.what}s.")
    @kind.org_option(required=False)
    @control_options
    def listing(file: Path | None, state: Path | None, *, as_json: bool, org: str | None = None) -> None:
        with control(file, state) as client:
            found = list(kind.objects(client).list(**without_none({"org": org})))
        if as_json:
            for item in found:
                say_json(item)
            return
        rows = [(one.org, one.name, one.managed_by, _brief(one.spec)) for one in found]
        say_table(("org", "name", "managed by", "configuration"), rows)

    return listing


def _show(kind: _Kind) -> click.Command:
    @click.command(help=f"Show one {kind.what} with its configuration.")
    @click.argument("name")
    @kind.org_option()
    @control_options
    def show(
        name: str, file: Path | None, state: Path | None, *, as_json: bool, org: str | None = None
    ) -> None:
        with control(file, state) as client:
            item = kind.objects(client).get(name, **kind.place(org))
        if as_json:
            say_json(item)
        else:
            click.echo(_pretty(item.spec))

    return show


def _set(kind: _Kind) -> click.Command:
    @click.command(name="set", help=f"Make or change one {kind.what}.")
    @click.argument("name")
    @kind.org_option()
    @click.option("--spec", help="Its configuration as JSON; without it, an empty one.")
    @click.option("--file", "body", type=click.Path(path_type=Path), help="Its configuration as a YAML file.")
    @why_option
    @control_options
    def put(
        name: str,
        spec: str | None,
        body: Path | None,
        reason: str,
        file: Path | None,
        state: Path | None,
        *,
        as_json: bool,
        org: str | None = None,
    ) -> None:
        with control(file, state) as client:
            item = kind.objects(client).put(name, spec_of(spec, body), reason=reason, **kind.place(org))
        if as_json:
            say_json(item)
        elif item.applied is not None:
            _say(item.applied)

    return put


def _delete(kind: _Kind) -> click.Command:
    @click.command(help=f"Delete one {kind.what}.")
    @click.argument("name")
    @kind.org_option()
    @click.option("--cascade", is_flag=True, help="Delete what belongs to it, too.")
    @why_option
    @control_options
    def delete(
        name: str,
        reason: str,
        file: Path | None,
        state: Path | None,
        *,
        cascade: bool,
        as_json: bool,
        org: str | None = None,
    ) -> None:
        with control(file, state) as client:
            applied = kind.objects(client).delete(name, reason=reason, cascade=cascade, **kind.place(org))
        if as_json:
            say_json(applied)
        else:
            _say(applied)

    return delete


def _say(applied: Applied) -> None:
    say_applied(applied.revision, applied.behind, changed=applied.changed)


def _brief(spec: dict[str, Any]) -> str:
    text = json.dumps(spec, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _pretty(spec: dict[str, Any]) -> str:
    return json.dumps(spec, indent=2, ensure_ascii=False)


orgs = _group("orgs", _Kind("orgs", "organisation", tenant=False))
teams = _group("teams", _Kind("teams", "team"))
throttles = _group("throttles", _Kind("throttles", "throttle"))
users = _group("users", _Kind("users", "user"))
service_accounts = _group("service-accounts", _Kind("service_accounts", "service account"))
roles = _group("roles", _Kind("role_bindings", "role binding"))
for _command in people.COMMANDS:
    users.add_command(_command)
