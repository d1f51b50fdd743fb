"""`penstock route health`: how every target stands, as the running gateways see it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from penstock.adapters.credentials.place import address_of
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.worker_settings import settings_of
from penstock.cli.files import state_dir
from penstock.cli.ledger_options import console
from penstock.ports.ledger import LedgerError
from penstock.worker.settings import ledger_place
from penstock.worker.stores import open_reader

WAIT_S = 3.0
_TOLD = ("route", "target", "began_ms", "verdict", "reason", "planned")


class _Door(http.client.HTTPConnection):
    """HTTP over a gateway's Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=WAIT_S)
        self._path = path

    def connect(self) -> None:
        """See HTTPConnection."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(WAIT_S)
        with address_of(self._path) as name:
            self.sock.connect(name)


def ask(path: Path, what: str) -> dict[str, Any] | None:
    """What a gateway says at its door; None where nobody answers there."""
    connection = _Door(path)
    try:
        connection.request("GET", what)
        answer = connection.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def doors(state: StateDir) -> list[Path]:
    """The sockets of this installation's gateways: they have their boot's id as a name."""
    if not state.run.is_dir():
        return []
    return sorted(each for each in state.run.glob("*.sock") if len(each.stem) > 16 and each.stem.isalnum())


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per gateway and line.")
@click.option("--state-dir", "state", type=click.Path(path_type=Path), help="Folder of the state.")
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file.")
def health(file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Show which targets are tried and which are left alone, why, and how they did in the last 5 minutes.

    Each gateway process judges by its own requests. Exit code 1 where nobody could be asked.
    """
    told = [(path.stem, said) for path in doors(state_dir(file, state)) if (said := ask(path, "/standings"))]
    if not told:
        raise click.ClickException("no gateway answers; is `penstock serve` running with this configuration?")
    drills = last_drills(state_dir(file, state))
    if as_json:
        for boot, said in told:
            click.echo(json.dumps({"gateway": boot, **said, "drills": drills}))
        return
    for boot, said in told:
        if len(told) > 1:
            click.echo(f"gateway {boot}")
        console().print(_table(said))
        for group in said["groups"]:
            if group["reason"]:
                click.echo(f"{group['kind']} {group['id']}: {group['reason']}")
    for each in drills:
        what = f"to {each['target']}: {each['verdict']}: {each['reason']}"
        click.echo(f"route {each['route']}: last failover drill {each['age_days']} days ago, {what}")


def last_drills(state: StateDir) -> list[dict[str, Any]]:
    """The last drill of each route that the ledger knows; none where it cannot be read."""
    try:
        with contextlib.closing(open_reader(ledger_place(state.root, settings_of(state)))) as reader:
            rows = reader.drills()
    except (FileNotFoundError, LedgerError):
        return []
    newest: dict[str, dict[str, Any]] = {}
    now_ms = time.time_ns() // 1_000_000
    for row in rows:
        age = {"age_days": (now_ms - row["began_ms"]) // 86_400_000}
        newest.setdefault(row["route"], {**{name: row[name] for name in _TOLD}, **age})
    return list(newest.values())


def _table(said: dict[str, Any]) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("target", no_wrap=True)
    table.add_column("state")
    for title in ("answers", "p50 ms", "p95 ms", "first p95 ms", "under way"):
        table.add_column(title, justify="right", no_wrap=True)
    for each in said["targets"]:
        state = each["reason"] or "tried"  # "open" is what breakers are that let nobody through
        if each["retry_in_s"]:
            state += f" (for {each['retry_in_s']:.1f} s)"
        latencies = [each["total_p50_ms"], each["total_p95_ms"], each["ttft_p95_ms"]]
        table.add_row(
            each["target"],
            state,
            f"{each['answers']}/{each['attempts']}",
            *["-" if one is None else str(one) for one in latencies],
            str(each["under_way"]),
        )
    return table
