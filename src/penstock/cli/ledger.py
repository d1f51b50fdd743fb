"""`penstock ledger`: looking after the ledger."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click
import msgspec

from penstock.bootstrap.state_dir import StateDir
from penstock.cli.files import sole_service
from penstock.cli.ledger_options import dollars, place_of, state_options, state_place
from penstock.ports.ledger import LedgerError
from penstock.worker.importing import import_ledger
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


@ledger.command(name="import")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@state_options
def import_(*, as_json: bool, config: Path | None, state_dir: Path | None) -> None:
    """Move ledger.db into the database of server.database_url.

    Stop `penstock serve`, set server.database_url, import, and start again: rows, what every account has spent,
    and how far the journal was read are in the database then. It may be stopped and done again at any time; no
    row and no sum is added twice. ledger.db stays as it is, and is not used any more.
    """
    state = StateDir(state_place(config, state_dir).absolute())
    place = place_of(state.root, config)
    if not place.database_url:
        raise click.ClickException("server.database_url names no database to import into; set it first")
    state.create()
    with sole_service(state):
        try:
            done = import_ledger(place, _no_progress if as_json else _show_progress)
        except FileNotFoundError:
            raise click.ClickException(f"there is no ledger.db in {state.root}; nothing to import") from None
        except WorkerRunningError as error:
            raise click.ClickException(str(error)) from None
        except (sqlite3.Error, OSError, RuntimeError) as error:
            raise click.ClickException(
                f"not all is imported; do it again once this is mended: {error}"
            ) from None
    if as_json:
        click.echo(msgspec.json.encode(done))
        return
    click.echo(
        f"{done.exchanges:,} exchanges, {done.attempts:,} attempts ({dollars(done.cost_nanousd)}) and"
        f" {done.refusals:,} refusals are in the database; each was compared"
    )
    what = "are taken over" if done.sums else "had been taken over before"
    click.echo(f"sums by account and the place in the journal {what}")


def _show_progress(table: str, done: int, total: int) -> None:
    click.echo(f"\r{table}: {done:,} of {total:,}", nl=done >= total, err=True)


def _no_progress(table: str, done: int, total: int) -> None:
    del table, done, total


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
