"""`penstock serve`: one command from nothing to a gateway."""

from __future__ import annotations

import logging
import os
import resource
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from penstock.bootstrap.control import LISTEN, PUBLISHED, now_ms, publisher_for
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.supervisor import Supervisor
from penstock.cli.files import config_path, sole_service
from penstock.cli.following import follows, serve_following
from penstock.cli.roles import (
    ALONE,
    admin_or_say,
    leave_s,
    listen_or_say,
    say_admin,
    serve_alone,
    simulator_port,
)
from penstock.compile.review import review
from penstock.compile.targets import CompileError
from penstock.config.document import Document
from penstock.config.load import ConfigError
from penstock.config.snapshot import SnapshotError
from penstock.config.values import BadValueError, address
from penstock.control.admin_key import ADMIN_KEY, make_admin_key, stored_hash
from penstock.control.publish import Publisher
from penstock.control.watch import stamp_of


def _address(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    try:
        return address(value) if value is not None else None
    except BadValueError as error:
        raise click.BadParameter(f"{error.message}; {error.hint}") from None


@click.command()
@click.option(
    "-c", "--config", type=click.Path(path_type=Path), help="Configuration file; default penstock.yaml."
)
@click.option("--listen", callback=_address, help="host:port; wins over the file.")
@click.option("--state-dir", type=click.Path(path_type=Path), help="Folder for state; wins over the file.")
@click.option(
    "--role",
    type=click.Choice(ALONE),
    help="Start the processes of one role only; the others run beside it, with the same state directory.",
)
@click.option("--new-admin-key", is_flag=True, help="Make the admin key anew; the old one stops working.")
def serve(
    config: Path | None, listen: str | None, state_dir: Path | None, role: str | None, *, new_admin_key: bool
) -> None:
    """Start gateways, the worker, control and, if they are used, the owner of accounts and the simulator.

    Without a configuration file the providers come from the usual environment variables (OPENAI_API_KEY, …)
    and from model servers on this machine; the simulator is always there.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    _write_no_core_files()
    path = config_path(config)
    root = state_dir or _state_of(path)
    state = StateDir(root.absolute())
    try:
        state.create()
        path = path.absolute() if path else None
        with sole_service(state, role or ""):
            if path is not None and role in (None, "control", "gateway") and follows(path):
                status = serve_following(state, path, listen, role)
            elif role is None or role == "control":
                status = _serve(state, path, listen, role, new_admin_key=new_admin_key)
            else:
                status = serve_alone(state, path, listen, role)
    except OSError as error:
        raise click.ClickException(_explain(error)) from None
    sys.exit(status)


def _serve(
    state: StateDir, path: Path | None, listen: str | None, role: str | None, *, new_admin_key: bool
) -> int:
    key = _admin_key(state, path, renew=new_admin_key)
    try:
        publisher = publisher_for(state, path, listen)
        published = stamp_of(path)
        document = _publish(publisher)
        workers = document.server.workers
        socks = listen_or_say(document.server.listen, workers) if role is None else []
        admin = admin_or_say(document, socks)
    except BaseException:
        # A key that nobody was shown is no key: the next start makes another.
        if key is not None:
            state.admin_key.unlink(missing_ok=True)
        raise
    notices = [*publisher.notices, *(f"warning: {each}" for each in review(document, datetime.now(UTC).date()))]
    env = {**os.environ, PUBLISHED: published, **({LISTEN: listen} if listen else {})}
    redis = document.server.redis_url is not None
    if role is not None:
        click.echo(f"Penstock's control process publishes to {state.root}")
        for notice in notices:
            click.echo(f"  {notice}")
        if key is not None:
            click.echo(f"  admin key (shown once): {key}")
        return Supervisor(state, socks, env, path, None, workers, ALONE[role], redis=redis).run()
    port = simulator_port(document)
    _greet(document, notices, key, socks[0].getsockname(), admin)
    drain_s = leave_s(document)
    return Supervisor(
        state, socks, env, path, port, workers, redis=redis, admin_sock=admin, drain_s=drain_s
    ).run()


def _write_no_core_files() -> None:
    """A process that crashes would leave its memory, with every secret in it, on disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _state_of(path: Path | None) -> Path:
    from penstock.cli.files import state_dir as find  # noqa: PLC0415 - its name is the option's

    return find(path, None).root


def _admin_key(state: StateDir, path: Path | None, *, renew: bool) -> str | None:
    """A key for a set-up that would otherwise have none, or a new one on request."""
    if renew or (path is None and stored_hash(state.admin_key) is None):
        return make_admin_key(state.admin_key)
    return None


def _publish(publisher: Publisher) -> Document:
    try:
        document = publisher.read()
        publisher.publish(document, now_ms())
    except ConfigError as error:
        raise click.ClickException(f"the configuration is not valid\n{error}") from None
    except (CompileError, SnapshotError) as error:
        raise click.ClickException(str(error)) from None
    return document


def _explain(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _greet(
    document: Document,
    notices: list[str],
    key: str | None,
    address: tuple[str, int],
    admin: socket.socket | None,
) -> None:
    host, port = address[0], address[1]
    scheme = "https" if document.server.tls is not None else "http"
    click.echo(f"Penstock listens on {scheme}://{host}:{port}")
    say_admin(document, admin)
    for notice in notices:
        click.echo(f"  {notice}")
    if document.routes:
        click.echo(f"  routes: {', '.join(document.routes)}")
    if not document.keys and key is None:
        click.echo(
            "  no virtual keys are configured, so nobody can call it; add `keys:` or use --new-admin-key"
        )
    if key is None and any(k.name == ADMIN_KEY for k in document.keys):
        click.echo("  the admin key was shown at the first start; --new-admin-key makes another")
    if key is not None:
        click.echo(f"  admin key (shown once): {key}")
        click.echo("  try:")
        click.echo(f"    curl {scheme}://{host}:{port}/v1/chat/completions -H 'Authorization: Bearer {key}' \\")
        click.echo("      -H 'Content-Type: application/json' \\")
        click.echo("""      -d '{"model": "sim/echo", "messages": [{"role": "user", "content": "Hello"}]}'""")
