"""`penstock ledger`: looking after the ledger."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click
import msgspec

from penstock.bootstrap.state_dir import StateDir
from penstock.cli.files import sole_service
from penstock.cli.ledger_options import place_of, state_options, state_place
from penstock.ports.ledger import LedgerError
from penstock.worker.rebuild import Rebuilt
from penstock.worker.rebuild import rebuild as rebuild_ledger
from penstock.worker.sole import WorkerRunningError


@click.group()
def ledger() -> None:
    """Look after the ledger."""


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@state_options
def rebuild(*, as_json: bool, config: Path | None, state_dir: Path | None) -> None:
    """Make ledger.db anew from all segments of the journal that are kept.

    Stop `penstock serve` first. The old file is kept as ledger.db.old. Rows whose segments retention has
    deleted cannot be made again; how many that are is said.

    Where server.database_url names a database that several machines share, what is there stays, and what
    this machine's journal has beyond it is added.
    """
    state = StateDir(state_place(config, state_dir).absolute())
    if not state.journal.is_dir():
        raise click.ClickException(
            f"there is no journal in {state.root}; name its place with -c or --state-dir"
        )
    state.create()
    with sole_service(state):
        try:
            done = rebuild_ledger(place_of(state.root, config))
        except WorkerRunningError as error:
            raise click.ClickException(str(error)) from None
        except (sqlite3.Error, OSError, LedgerError) as error:
            raise click.ClickException(f"the old ledger stays as it was: {error}") from None
    if as_json:
        click.echo(msgspec.json.encode(done))
        return
    _tell(done)


def _tell(done: Rebuilt) -> None:
    click.echo(f"{done.records:,} records of the journal gave {done.exchanges:,} exchanges")
    if done.kept is not None:
        click.echo(f"the old ledger is kept as {done.kept}")
    missing = (done.exchanges_before or 0) - done.exchanges
    if missing > 0:
        click.echo(
            f"{missing:,} exchanges of the old ledger are not in the new one: "
            "their segments are not kept any more",
            err=True,
        )
