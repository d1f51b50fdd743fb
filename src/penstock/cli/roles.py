"""`penstock serve --role`: the processes of one role, beside those of others."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import click

from penstock.bootstrap.control import LISTEN
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
    "inference": ("inference",),
}
FIRST_SNAPSHOT_S = 30.0


def serve_alone(state: StateDir, path: Path | None, listen: str | None, role: str) -> int:
    """Run one role that publishes nothing. Raises click.ClickException."""
    if role == "worker":
        _document(state)  # it says where the ledger is, and whether counters are in Redis
    if role != "gateway":
        click.echo(f"Penstock's {role} process serves {state.root}")
        return Supervisor(state, [], os.environ, path, None, 1, ALONE[role]).run()
    return run_gateways(state, path, listen, _document(state), ALONE[role])


def run_gateways(
    state: StateDir, path: Path | None, listen: str | None, document: Document, roles: tuple[str, ...]
) -> int:
    """Run gateways, and what else `roles` names, with a configuration that somebody else publishes."""
    server = document.server
    socks = listen_or_say(listen or server.listen, server.workers)
    host, port = socks[0].getsockname()[:2]
    scheme = "https" if server.tls is not None else "http"
    click.echo(f"Penstock listens on {scheme}://{host}:{port}")
    admin = admin_or_say(document, socks)
    say_admin(document, admin)
    redis = server.redis_url is not None
    if server.workers > 1 and not redis and "accounts" not in roles:
        click.echo("  several gateways share limits and budgets: keep `penstock serve --role accounts` running")
    port = simulator_port(document)
    env = {**os.environ, **({LISTEN: listen} if listen else {})}
    drain_s = leave_s(document)
    return Supervisor(
        state, socks, env, path, port, server.workers, roles, redis=redis, admin_sock=admin, drain_s=drain_s
    ).run()


def leave_s(document: Document) -> float:
    """How long a gateway may take to leave."""
    drain = document.server.drain
    return drain.notice_s + drain.idle_s + drain.deadline_s


def _document(state: StateDir) -> Document:
    """The published configuration, waited for as long as control may need to publish its first one."""
    until = time.monotonic() + FIRST_SNAPSHOT_S
    said = False
    while not state.snapshot.exists():
        if time.monotonic() > until:
            raise click.ClickException(
                f"{state.snapshot} does not exist: start `penstock serve --role control` with the same state"
                " directory, or name control on another machine in server.control_url"
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
