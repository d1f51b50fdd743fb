"""`penstock audit`: who did what."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from penstock.cli.control import control, control_options, say_json, say_table, without_none


@click.group()
def audit() -> None:
    """Read, verify and export the audit log."""


@audit.command(name="list")
@click.option("--actor", help="By this one, such as operator:alice.")
@click.option("--action", help="Of this kind, such as create, revoke or rollback.")
@click.option("--org", help="On objects of this organisation.")
@click.option("--since", help="From this moment on, such as 2026-12-01T00:00:00Z.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="At most so many.")
@control_options
def listing(
    file: Path | None,
    state: Path | None,
    actor: str | None,
    action: str | None,
    org: str | None,
    since: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List entries, the newest first."""
    filters = without_none({"actor": actor, "action": action, "org": org, "since": since})
    with control(file, state) as client:
        found = client.audit(limit=limit, **filters).items
    if as_json:
        for entry in found:
            say_json(entry)
        return
    columns = ("seq", "ts", "actor", "action", "kind", "org", "name", "outcome", "reason")
    say_table(columns, [[str(entry.get(name, "")) for name in columns] for entry in found])


@audit.command()
@click.option("--head", default="", help="A head noted earlier (seq:digest), which must still be there.")
@control_options
def verify(file: Path | None, state: Path | None, head: str, *, as_json: bool) -> None:
    """Say whether the log is whole; status 1 where an entry was changed, removed, moved or cut off."""
    with control(file, state) as client:
        verdict = client.verify_audit(head)
    if as_json:
        say_json(verdict)
    elif verdict.valid:
        click.echo(f"whole: {verdict.entries} entries; head {verdict.head}")
    else:
        click.echo(f"NOT whole: {len(verdict.flaws)} flaws in {verdict.entries} entries", err=True)
        for flaw in verdict.flaws:
            click.echo(f"  entry {flaw.seq}: {flaw.problem}", err=True)
    if not verdict.valid:
        sys.exit(1)


@audit.command()
@click.option("--since", help="From this moment on.")
@click.option("--until", help="Before this moment.")
@control_options
def export(
    file: Path | None, state: Path | None, since: str | None, until: str | None, *, as_json: bool
) -> None:
    """Print all entries as JSON lines, the oldest first, with the digests of the chain."""
    del as_json  # it is JSON in any case
    with control(file, state) as client:
        click.echo(client.export_audit(**without_none({"since": since, "until": until})), nl=False)
