"""What commands that talk to control have in common: where its socket is, and what is said when it is not."""

from __future__ import annotations

import fcntl
import getpass
import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import click
import msgspec

from penstock.bootstrap.state_dir import StateDir
from penstock.cli.files import state_dir
from penstock.client import Client, ProblemError, UnreachableError

# A service that has just been started answers after its gateways do.
START_S = 10.0
P = ParamSpec("P")
R = TypeVar("R")


def control_options(command: Callable[P, R]) -> Callable[P, R]:
    """The options that say which installation is meant, and how to print."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--state-dir", "state", type=click.Path(path_type=Path), help="Folder of the state."),
        click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file."),
    ):
        command = option(command)

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return command(*args, **kwargs)

    return run


def why_option(command: Callable[P, R]) -> Callable[P, R]:
    """Why something is changed, for the history."""
    return click.option("--reason", default="", help="Why, for the history and the audit log.")(command)


@contextmanager
def control(file: Path | None, state: Path | None) -> Generator[Client]:
    """The control process of an installation; its refusals and absence become messages of the command."""
    found = state_dir(file, state)
    with Client(token=_token(found), socket=found.control_socket, headers=_user()) as client:
        try:
            yield client
        except ProblemError as error:
            more = [
                f"  {one.path}: {one.message}" + (f"; {one.hint}" if one.hint else "")
                for one in error.problem.errors[1:]
            ]
            raise click.ClickException("\n".join([f"{error} ({error.code})", *more])) from None
        except UnreachableError:
            raise _absent(found) from None


def _token(found: StateDir) -> str:
    deadline = time.monotonic() + START_S
    while True:
        with suppress(OSError):
            token = found.operator.read_text()
            if found.control_socket.exists():
                return token
        if not _starts(found) or time.monotonic() > deadline:
            raise _absent(found)
        time.sleep(0.05)


def _starts(found: StateDir) -> bool:
    """Whether a service holds this state directory."""
    try:
        with (found.run / "serve.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _absent(found: StateDir) -> click.ClickException:
    return click.ClickException(
        f"no control process answers at {found.control_socket}; start `penstock serve`, or name its "
        "folder with --state-dir; a machine with server.control_url has none, use the command on control's"
    )


def _user() -> dict[str, str]:
    with suppress(KeyError, OSError):
        return {"x-penstock-os-user": getpass.getuser().encode("ascii", "replace").decode()}
    return {}


def say_json(value: Any) -> None:
    """One JSON value on a line."""
    click.echo(msgspec.json.encode(value))


def say_applied(revision: int, behind: Sequence[str], *, changed: bool) -> None:
    """What became of a change, on standard error: what was asked for goes to standard output."""
    click.echo(f"revision {revision}" if changed else f"nothing changed (revision {revision})", err=True)
    if behind:
        click.echo(f"not served yet by: {', '.join(behind)}", err=True)


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table as wide as the terminal, or its rows by tabs where nobody looks."""
    from rich.console import Console  # noqa: PLC0415 - only tables need it
    from rich.table import Table  # noqa: PLC0415

    console = Console()
    if not console.is_terminal:
        for row in rows:
            click.echo("\t".join(row))
        return
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def spec_of(text: str | None, path: Path | None) -> dict[str, Any]:
    """A configuration given as JSON on the command line or as a YAML file."""
    if text is not None and path is not None:
        raise click.UsageError("give --spec or --file, not both")
    if path is not None:
        return read_yaml(path)
    if text is None:
        return {}
    try:
        found: object = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"--spec is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise click.BadParameter("--spec must be a JSON object")
    return cast("dict[str, Any]", found)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML (or JSON) file as plain values, references left as they are written."""
    from penstock.config.load import read_text  # noqa: PLC0415 - ruamel is slow to import
    from penstock.config.problem import ConfigError  # noqa: PLC0415
    from penstock.config.source import plain_source  # noqa: PLC0415
    from penstock.config.yaml_text import parse_yaml  # noqa: PLC0415

    try:
        root, problems = parse_yaml(read_text(path), str(path))
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if problems:
        raise click.ClickException(str(ConfigError(str(path), problems)))
    found: object = plain_source(root) if root is not None else {}
    if not isinstance(found, dict):
        raise click.ClickException(f"{path}: expected a mapping")
    return cast("dict[str, Any]", found)


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was said, without what was not."""
    return {name: value for name, value in values.items() if value not in (None, (), {}, [])}
