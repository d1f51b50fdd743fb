"""`penstock config`: what is in force."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from penstock.bootstrap.plan_source import snapshot_box
from penstock.cli.files import state_dir
from penstock.config.document import shown
from penstock.config.snapshot import SnapshotError, read_snapshot


@click.group()
def config() -> None:
    """Look at the configuration."""


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
