"""`penstock config`: what is in force, what was, and how to change it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast

import click
import msgspec

from penstock.bootstrap.plan_source import snapshot_box
from penstock.cli.control import (
    control,
    control_options,
    read_yaml,
    say_applied,
    say_json,
    say_table,
    why_option,
)
from penstock.cli.files import sole_service, state_dir
from penstock.client import Difference
from penstock.config.document import Document, shown
from penstock.config.load import load_file
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.ports.control_store import StoreError


@click.group()
def config() -> None:
    """Show the configuration in force, its history and differences; apply changes and take them back."""


@config.command()
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--state-dir", "state", type=click.Path(path_type=Path), help="Folder of the state.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Print the published revision; secrets are shown as references or not at all."""
    found = state_dir(file, state)
    try:
        snapshot = read_snapshot(found.snapshot, snapshot_box(found, os.environ))
    except SnapshotError as error:
        raise click.ClickException(str(error)) from None
    text = msgspec.json.encode(snapshot.document, enc_hook=shown)
    if as_json:
        click.echo(b'{"revision":"%b","document":%b}' % (snapshot.revision.encode(), text))
        return
    click.echo(f"revision {snapshot.revision}")
    click.echo(msgspec.json.format(text, indent=2))


@config.command()
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="At most so many.")
@control_options
def history(file: Path | None, state: Path | None, limit: int, *, as_json: bool) -> None:
    """List revisions, the newest first."""
    with control(file, state) as client:
        found = client.revisions(limit=limit).items
    if as_json:
        for one in found:
            say_json(one)
        return
    rows = [(str(one.number), one.created_at, one.author, one.origin, one.reason) for one in found]
    say_table(("revision", "made", "by", "through", "why"), rows)


@config.command()
@click.argument("old", required=False)
@click.argument("new", required=False, type=int)
@control_options
def diff(old: str | None, new: int | None, file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Show what differs.

    Without arguments: what the newest revision changed. OLD: from revision OLD to the newest. OLD NEW: between
    two revisions. OLD may be a file, too: what `config apply` with it would change.
    """
    with control(file, state) as client:
        if old is not None and not old.isdigit():
            changes = client.apply(read_yaml(Path(old)), dry_run=True).changes
        elif old is None:
            newest = client.revisions(limit=1).items
            changes = client.revision(newest[0].number).changes if newest else []
        else:
            changes = client.diff(int(old), new).changes
    _say_changes(changes, as_json=as_json)


@config.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check it and show what would change.")
@why_option
@control_options
def apply(
    path: Path, reason: str, file: Path | None, state: Path | None, *, dry_run: bool, as_json: bool
) -> None:
    """Set the objects in the file PATH, all of them or none, as one revision.

    The file has `set:` with sections as in penstock.yaml (providers, deployments, guards, routes, orgs), and
    `remove:` with lists of names. Objects that stand in penstock.yaml are changed there.
    """
    with control(file, state) as client:
        done = client.apply(read_yaml(path), reason=reason, dry_run=dry_run)
    if as_json:
        say_json(done)
        return
    _say_changes(done.changes, as_json=False)
    if done.applied is not None:
        say_applied(done.applied.revision, done.applied.behind, changed=done.applied.changed)


@config.command()
@click.argument("number", type=int)
@why_option
@control_options
def rollback(number: int, reason: str, file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Make a new revision with the configuration of revision NUMBER.

    Keys, users, service accounts and roles stay as they are: a revoked key stays revoked.
    """
    with control(file, state) as client:
        applied = client.rollback(number, reason=reason)
    if as_json:
        say_json(applied)
    else:
        say_applied(applied.revision, applied.behind, changed=applied.changed)


@config.command(name="import")
@control_options
def import_(file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Move control.db into the database of server.database_url.

    Stop `penstock serve`, set server.database_url, import, and start again. Objects, revisions, the audit log
    and people are copied, all or nothing; doing it again changes nothing. control.db stays as it is.
    """
    # What only this command needs takes long to import.
    from penstock.adapters.control_db.engine import open_sqlite  # noqa: PLC0415
    from penstock.adapters.control_db.moving import move  # noqa: PLC0415
    from penstock.bootstrap.control_service import engine_for  # noqa: PLC0415

    found = state_dir(file, state)
    if not found.control_db.exists():
        raise click.ClickException(f"there is no {found.control_db}; nothing to import")
    document = load_file(file, os.environ) if file is not None else Document()
    if document.server.database_url is None:
        raise click.ClickException("server.database_url names no database to import into; set it first")
    with sole_service(found):
        source, target = open_sqlite(found.control_db), engine_for(document, found)
        try:
            counts = move(source, target, lambda _table, _count: None)
        except StoreError as error:
            raise click.ClickException(str(error)) from None
        finally:
            source.dispose()
            target.dispose()
    if as_json:
        say_json(counts)
        return
    for table, count in counts.items():
        click.echo(f"{table}: {count:,} rows are in the database")


def _say_changes(changes: list[Difference], *, as_json: bool) -> None:
    if as_json:
        for one in changes:
            say_json(one)
        return
    for one in changes:
        sign = "+" if one.before is None else "-" if one.after is None else "~"
        where = f" {one.org}/" if one.org and one.org != one.name else " "
        click.echo(f"{sign} {one.kind}{where}{one.name}")
        before, after = _lines(one.before), _lines(one.after)
        for line in before:
            if line not in after:
                click.echo(f"    - {line}")
        for line in after:
            if line not in before:
                click.echo(f"    + {line}")


def _lines(body: dict[str, object] | None) -> list[str]:
    """A body as `path: value` lines."""

    def walk(value: object, path: str) -> list[str]:
        if isinstance(value, dict) and value:
            pairs = cast("dict[str, object]", value)
            return [
                line for key, inner in pairs.items() for line in walk(inner, f"{path}.{key}" if path else key)
            ]
        return [f"{path}: {json.dumps(value, ensure_ascii=False)}"]

    return walk(body, "") if body else []
