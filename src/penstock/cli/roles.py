"""`penstock serve --role`: the processes of one role, beside those of others."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import click

from penstock.bootstrap.listening import is_local
from penstock.bootstrap.places import admin_address, listening_sockets
from penstock.bootstrap.plan_source import snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.supervisor import Supervisor, free_port
from penstock.config.document import Document
from penstock.config.snapshot import SnapshotError, read_snapshot

# What each role runs. Credentials go with control: both need what no gateway may see or wait for.
ALONE: dict[str, tuple[str, ...]] = {
    "gateway": ("gateway",),
    "control": ("control", "credentials"),
    "worker": ("worker",),
    "accounts": ("accounts",),
    "inference": (),
}
FIRST_SNAPSHOT_S = 30.0


def serve_alone(state: StateDir, path: Path | None, listen: str | None, role: str) -> int:
    """Run one role that publishes nothing. Raises click.ClickException."""
    if role == "inference":
        raise click.ClickException(
            "there is no inference process in this version: embeddings, classifiers and the learned router come"
            " with semantic caching; start the other roles without it"
        )
    if role != "gateway":
        click.echo(f"Penstock's {role} process serves {state.root}")
        return Supervisor(state, [], os.environ, path, None, 1, ALONE[role]).run()
    document = _document(state)
    place = listen or document.server.listen
    socks = listen_or_say(place, document.server.workers)
    host, port = socks[0].getsockname()[:2]
    scheme = "https" if document.server.tls is not None else "http"
    click.echo(f"Penstock listens on {scheme}://{host}:{port}")
    admin = admin_or_say(document, socks)
    say_admin(document, admin)
    if document.server.workers > 1:
        click.echo("  several gateways share limits and budgets: keep `penstock serve --role accounts` running")
    workers = document.server.workers
    port = simulator_port(document)
    return Supervisor(state, socks, os.environ, path, port, workers, ALONE[role], admin_sock=admin).run()


def _document(state: StateDir) -> Document:
    """The published configuration, waited for as long as control may need to publish its first one."""
    until = time.monotonic() + FIRST_SNAPSHOT_S
    said = False
    while not state.snapshot.exists():
        if time.monotonic() > until:
            raise click.ClickException(
                f"{state.snapshot} does not exist: start `penstock serve --role control` with the same state"
                " directory. A gateway on another machine gets its snapshots from server.control_url, which"
                " this version does not serve yet (issue 4)"
            )
        if not said:
            click.echo(f"  waiting for control to publish {state.snapshot}")
            said = True
        time.sleep(0.1)
    try:
        return read_snapshot(state.snapshot, snapshot_box(state, os.environ)).document
    except SnapshotError as error:
        raise click.ClickException(str(error)) from None


def admin_or_say(document: Document, socks: list[socket.socket]) -> socket.socket | None:
    """The socket of the control plane's own address, None where it has none. Raises click.ClickException."""
    place = admin_address(document.server, socks[0].getsockname()[1]) if socks else None
    return listen_or_say(place, 1, "server.admin_listen")[0] if place is not None else None


def say_admin(document: Document, sock: socket.socket | None) -> None:
    """Where the admin API is, if it has an address of its own."""
    if sock is None:
        return
    host, port = sock.getsockname()[:2]
    encrypted = document.server.tls is not None and not is_local(sock)
    click.echo(f"  admin API: {'https' if encrypted else 'http'}://{host}:{port}/admin/api")
    if not encrypted and not is_local(sock):
        click.echo("  other machines reach the admin API without TLS; set server.tls")


def listen_or_say(place: str, workers: int, option: str = "--listen or server.listen") -> list[socket.socket]:
    """Listening sockets. Raises click.ClickException."""
    try:
        return listening_sockets(place, workers)
    except OSError as error:
        reason = error.strerror or error
        raise click.ClickException(
            f"cannot listen on {place}: {reason}; choose another address with {option}"
        ) from None


def simulator_port(document: Document) -> int | None:
    """Where the simulator is to listen, if it is used."""
    return free_port() if any(each.kind == "simulator" for each in document.providers.values()) else None
