"""`penstock alerts`: what was raised, and whether webhooks work."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import sqlite3
import sys
from pathlib import Path

import click

from penstock.adapters.alerts.webhook import WebhookPoster
from penstock.adapters.sqlite.outbox import SqliteOutbox
from penstock.bootstrap.control import now_ms
from penstock.bootstrap.plan_source import snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.cli.files import state_dir
from penstock.compile.alerts import webhooks_of
from penstock.compile.targets import CompileError
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.core.alerts import Alert, Webhook, fingerprint_of

_FILE = click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file.")
_STATE = click.option("--state-dir", "state", type=click.Path(path_type=Path), help="Folder of the state.")


@click.group()
def alerts() -> None:
    """Look at alerts, and try webhooks out."""


@alerts.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each, a line each.")
@_FILE
@_STATE
def list_alerts(file: Path | None, state: Path | None, *, limit: int, as_json: bool) -> None:
    """Show the newest alerts, oldest first, and whether each webhook has them."""
    path = state_dir(file, state).alerts
    try:
        outbox = SqliteOutbox(path) if path.exists() else None
        found = outbox.recent(limit) if outbox is not None else []
    except (sqlite3.Error, OSError) as error:
        raise click.ClickException(f"{path}: {error}") from None
    if not found and not as_json:
        click.echo("no alert was raised yet")
    for each in found:
        if as_json:
            click.echo(json.dumps(each))
            continue
        moment = dt.datetime.fromtimestamp(each["at_ms"] / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
        click.echo(f"{moment} {each['severity']:8} {each['kind']}: {each['message']}")
        for told in each["deliveries"]:
            error = f" ({told['error']})" if told["error"] else ""
            tries = f" after {told['attempts']} tries" if told["attempts"] > 1 else ""
            click.echo(f"    {told['webhook']}: {told['state']}{tries}{error}")


@alerts.command()
@click.argument("webhook", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each webhook, a line each.")
@_FILE
@_STATE
def test(webhook: str | None, file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Post a test alert to WEBHOOK, or to all of them, at once and without the outbox."""
    found = _webhooks(state_dir(file, state))
    chosen = [each for each in found if webhook in {None, each.name}]
    if not chosen:
        known = ", ".join(each.name for each in found) or "none is configured"
        raise click.ClickException(
            f"no webhook {webhook!r}; known: {known}" if webhook else "no webhook is configured"
        )
    post, failed = WebhookPoster(now_ms), False
    for each in chosen:
        posted = post(each, f"test-{secrets.token_hex(8)}", _test_alert())
        failed = failed or bool(posted.error)
        if as_json:
            click.echo(json.dumps({"webhook": each.name, "ok": not posted.error, "error": posted.error}))
        else:
            click.echo(f"{each.name}: {posted.error or 'it took the alert'}")
    sys.exit(int(failed))


def _webhooks(state: StateDir) -> tuple[Webhook, ...]:
    """Those of the published configuration."""
    try:
        snapshot = read_snapshot(state.snapshot, snapshot_box(state, os.environ))
        return webhooks_of(snapshot.document, snapshot.environment(os.environ))
    except (SnapshotError, CompileError) as error:
        raise click.ClickException(str(error)) from None


def _test_alert() -> Alert:
    return Alert(
        kind="test",
        severity="info",
        at_ms=now_ms(),
        subject="penstock alerts test",
        value=1.0,
        threshold=1.0,
        fingerprint=fingerprint_of("test"),
        message="this is a test; nothing is wrong",
    )
