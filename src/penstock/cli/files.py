"""Finding the configuration file and the state that a command is about."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

import click

from penstock.bootstrap.state_dir import StateDir
from penstock.config.load import ConfigError, load_file

DEFAULT_FILE = "penstock.yaml"
DEFAULT_STATE = "./.penstock"


def config_path(given: Path | None) -> Path | None:
    """The file that was named, else penstock.yaml if there is one here, else none."""
    if given is not None:
        if not given.is_file():
            raise click.ClickException(f"{given}: no such file")
        return given
    default = Path(DEFAULT_FILE)
    return default if default.is_file() else None


def state_dir(config: Path | None, given: Path | None) -> StateDir:
    """The state of the installation: as named, as the configuration says, or the default."""
    if given is not None:
        return StateDir(given.absolute())
    path = config_path(config)
    if path is None:
        return StateDir(Path(DEFAULT_STATE).absolute())
    try:
        return StateDir(Path(load_file(path, os.environ).server.state_dir).absolute())
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def sole_service(state: StateDir) -> IO[str]:
    """The lock of a state directory, held while this process lives: two services would fight over it."""
    lock = (state.run / "serve.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise click.ClickException(
            f"another `penstock serve` uses {state.root}; end it, or choose another folder with --state-dir"
        ) from None
    return lock
