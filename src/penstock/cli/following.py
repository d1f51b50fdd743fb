"""`penstock serve` on a machine whose control process runs on another one (server.control_url)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from penstock.adapters.fleet.client import ANSWER_S
from penstock.bootstrap.follower import FollowError, Following, own_settings
from penstock.bootstrap.plan_source import snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.supervisor import FOLLOWING
from penstock.cli.roles import FIRST_SNAPSHOT_S, run_gateways
from penstock.compile.targets import CompileError
from penstock.config.document import Document, SecretError
from penstock.config.load import ConfigError, load_file, read_text
from penstock.config.node import Mapping
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.config.yaml_text import parse_yaml
from penstock.ports.fleet import FleetError
from penstock.ports.secrets import UnsealError

# With a configuration on its disk a machine starts without waiting much longer for control.
ANSWER_WITH_SNAPSHOT_S = 1.0
AGAIN_S = 0.2
# What each machine's file says for itself.
OWN = ("version", "server", "journal")
_CANNOT = (FleetError, UnsealError, SnapshotError, CompileError, SecretError, OSError)
ROLES: dict[str | None, tuple[str, ...]] = {None: FOLLOWING, "gateway": ("follower", "credentials", "gateway")}


def follows(path: Path | None) -> bool:
    """Whether the file names a control process elsewhere. Raises click.ClickException."""
    try:
        return path is not None and load_file(path, os.environ).server.control_url is not None
    except ConfigError as error:
        raise click.ClickException(f"the configuration is not valid\n{error}") from None


def serve_following(state: StateDir, path: Path, listen: str | None, role: str | None) -> int:
    """Run gateways, and what they need on this machine. Raises click.ClickException."""
    if role not in ROLES:
        raise click.ClickException(
            f"{path} names server.control_url: control runs there. Start control with a file without it"
        )
    answer_s = ANSWER_WITH_SNAPSHOT_S if state.snapshot.exists() else ANSWER_S
    try:
        own = own_settings(path, os.environ, state, listen)
        following = Following(state, own, os.environ, answer_s)
    except (ConfigError, FollowError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Penstock takes its configuration from {own.server.control_url}")
    document = _first(state, following)
    _say_unused(path)
    return run_gateways(state, path, listen, document, ROLES[role])


def _first(state: StateDir, following: Following) -> Document:
    """What to begin with: what control has now, or what is on disk where control is away."""
    until = time.monotonic() + FIRST_SNAPSHOT_S
    said = ""
    while True:
        try:
            if following.follower.follow(0.0) or state.snapshot.exists():
                break
            reason = "it has published nothing yet"
        except _CANNOT as error:
            reason = str(error)
            if state.snapshot.exists():
                click.echo(f"  control cannot be asked, the configuration on disk holds: {reason}")
                break
        if time.monotonic() > until:
            raise click.ClickException(f"no configuration is on disk, and none came from control: {reason}")
        if reason != said:
            click.echo(f"  waiting for control: {reason}")
            said = reason
        time.sleep(AGAIN_S)
    try:
        return read_snapshot(state.snapshot, snapshot_box(state, os.environ)).document
    except SnapshotError as error:
        raise click.ClickException(str(error)) from None


def _say_unused(path: Path) -> None:
    """Sections of the file without effect here must not surprise anybody."""
    root, _ = parse_yaml(read_text(path), str(path))
    unused = [name for name in root.entries if name not in OWN] if isinstance(root, Mapping) else []
    if unused:
        click.echo(f"  control's configuration holds; these sections of {path} do not: {', '.join(unused)}")
