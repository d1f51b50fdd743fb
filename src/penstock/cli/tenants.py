"""`penstock orgs`, `teams`, `users`, `service-accounts`, `roles`: whom keys belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from penstock.client import Client, Item
from penstock.client.synchronous import Objects


def _group(name: str, what: str, kind: str, *, tenant: bool) -> click.Group:
    """The commands of one kind of object: list, show, set, delete."""

    @click.group(name=name, help=f"List, show, set and delete {what}s.")
    def group() -> None: ...

    def objects(client: Client) -> Objects[Item]:
        found: Objects[Item] = getattr(client, kind)
        return found

    org_option = click.option("--org", default="", required=tenant, help="The organisation; `-` for none.")

    def whose(org: str) -> dict[str, Any]:
        return {"org": "" if org == "-" else org} if tenant else {}

    @group.command(name="list", help=f"List {what}s.")
    @(click.option("--org", help="Of this organisation.") if tenant else _same)
    @control_options
    def listing(file: Path | None, state: Path | None, *, as_json: bool, org: str | None = None) -> None:
        with control(file, state) as client:
            found = list(objects(client).list(**without_none({"org": org})))
        if as_json:
            for item in found:
                say_json(item)
            return
        rows = [(one.org, one.name, one.managed_by, _brief(one.spec)) for one in found]
        say_table(("org", "name", "managed by", "configuration"), rows)

    @group.command(help=f"Show one {what} with its configuration.")
    @click.argument("name")
    @(org_option if tenant else _same)
    @control_options
    def show(name: str, file: Path | None, state: Path | None, *, as_json: bool, org: str = "") -> None:
        with control(file, state) as client:
            item = objects(client).get(name, **whose(org))
        say_json(item) if as_json else click.echo(_pretty(item.spec))

    @group.command(name="set", help=f"Make or change one {what}.")
    @click.argument("name")
    @(org_option if tenant else _same)
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
        org: str = "",
    ) -> None:
        with control(file, state) as client:
            item = objects(client).put(name, spec_of(spec, body), reason=reason, **whose(org))
        if as_json:
            say_json(item)
        elif item.applied is not None:
            say_applied(item.applied.revision, item.applied.behind, changed=item.applied.changed)

    @group.command(help=f"Delete one {what}.")
    @click.argument("name")
    @(org_option if tenant else _same)
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
        org: str = "",
    ) -> None:
        with control(file, state) as client:
            applied = objects(client).delete(name, reason=reason, cascade=cascade, **whose(org))
        if as_json:
            say_json(applied)
        else:
            say_applied(applied.revision, applied.behind, changed=applied.changed)

    return group


def _same(command: Any) -> Any:
    return command


def _brief(spec: dict[str, Any]) -> str:
    text = _pretty(spec).replace("\n", " ")
    return text if len(text) <= 80 else f"{text[:79]}…"


def _pretty(spec: dict[str, Any]) -> str:
    import json  # noqa: PLC0415 - two spaces, which msgspec's own format does not keep for short lists

    return json.dumps(spec, indent=2, ensure_ascii=False)


orgs = _group("orgs", "organisation", "orgs", tenant=False)
teams = _group("teams", "team", "teams", tenant=True)
users = _group("users", "user", "users", tenant=True)
service_accounts = _group("service-accounts", "service account", "service_accounts", tenant=True)
roles = _group("roles", "role binding", "role_bindings", tenant=True)
