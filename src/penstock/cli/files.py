"""Finding the configuration file and the state that a command is about."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator
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


@contextlib.contextmanager
def sole_service(state: StateDir, role: str = "") -> Generator[None]:
    """The lock of a state directory, held within the block: two services would fight over it.

    A service that runs one `role` alone shares the folder with those of other roles.
    """
    held: list[IO[str]] = []
    try:
        _lock(held, state, "serve.lock", fcntl.LOCK_SH if role else fcntl.LOCK_EX, "another `penstock serve`")
        if role:
            whose = f"another `penstock serve --role {role}`"
            _lock(held, state, f"serve-{role}.lock", fcntl.LOCK_EX, whose)
        yield
    finally:
        for lock in held:
            lock.close()


def _lock(held: list[IO[str]], state: StateDir, name: str, kind: int, whose: str) -> None:
    lock = (state.run / name).open("w")
    held.append(lock)
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise click.ClickException(
            f"{whose} uses {state.root}; end it, or choose another folder with --state-dir"
        ) from None
