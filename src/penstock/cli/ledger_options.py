"""What the commands about the ledger share: where the ledger is, since when, and how money is shown."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import time
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from penstock.adapters.ledger.reading import LedgerReader, UnknownDimensionError
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.worker_settings import settings_of
from penstock.config.document.secret import Secret
from penstock.core.money import format_usd
from penstock.ports.ledger import LedgerError, Position
from penstock.worker.catch_up import wait_for_ledger
from penstock.worker.settings import ledger_place
from penstock.worker.stores import LedgerPlace, open_reader

_DEFAULT_CONFIG = Path("penstock.yaml")
_DEFAULT_STATE_DIR = Path(".penstock")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_PIPE_COLUMNS = 200
_ENV = re.compile(r"\$\{(\w+)\}")

Command = Callable[..., None]


def reads_ledger(command: Command) -> Command:
    """Gives the command the ledger, by `-c`, `--state-dir`, `--wait` and `--wait-timeout`."""

    @functools.wraps(command)
    def opened(
        *, config: Path | None, state_dir: Path | None, wait: bool, wait_timeout: float, **rest: Any
    ) -> None:
        with open_ledger(config, state_dir, wait=wait, wait_timeout=wait_timeout) as ledger:
            command(ledger, **rest)

    wrapped: Command = opened
    for option in (
        click.option(
            "--wait-timeout", type=float, default=30, show_default=True, help="Seconds that --wait waits."
        ),
        click.option(
            "--wait", is_flag=True, help="First wait until the ledger has caught up with the journal."
        ),
    ):
        wrapped = option(wrapped)
    return state_options(wrapped)


def grouping_options(by: str, since: str) -> Callable[[Command], Command]:
    """Adds `--by` and `--since` with these defaults, `--json`, and what `reads_ledger` adds."""

    def add(command: Command) -> Command:
        command = reads_ledger(command)
        for option in (
            click.option("--json", "as_json", is_flag=True, help="Print JSON."),
            click.option(
                "--since",
                callback=since_ms,
                default=since,
                show_default=True,
                help="How far back: 15m, 6h, 7d, 2026-05-01.",
            ),
            click.option(
                "--by",
                default=by,
                show_default=True,
                help="route, model, key, target, team, org, user, day …, tag.NAME; commas between.",
            ),
        ):
            command = option(command)
        return command

    return add


def state_options(command: Command) -> Command:
    """Adds `-c` and `--state-dir`; pass them on to `state_place`."""
    for option in (
        click.option(
            "--state-dir",
            type=click.Path(path_type=Path, file_okay=False),
            help="The gateway's state directory.",
        ),
        click.option(
            "-c",
            "--config",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="Take the state directory from this configuration file.",
        ),
    ):
        command = option(command)
    return command


@contextlib.contextmanager
def open_ledger(
    config: Path | None, state_dir: Path | None, *, wait: bool, wait_timeout: float
) -> Generator[LedgerReader]:
    """The ledger that the options mean; errors become sentences and a non-zero exit."""
    root = state_place(config, state_dir)
    try:
        place = place_of(root, config)
        if wait and not wait_for_ledger(root, lambda: _positions(place), wait_timeout):
            with contextlib.suppress(FileNotFoundError):
                open_reader(place).close()  # where it cannot be read, this says why
            raise click.ClickException(
                f"the ledger did not catch up within {wait_timeout:g} s; is a worker running for {root}?"
            )
        reader = open_reader(place)
        try:
            yield reader
        finally:
            reader.close()
    except FileNotFoundError:
        raise click.ClickException(
            f"there is no ledger in {root}: start the gateway, or name its place with -c or --state-dir"
        ) from None
    except UnknownDimensionError as error:
        raise click.UsageError(str(error)) from None
    except LedgerError as error:
        raise click.ClickException(str(error)) from None


def since_ms(_context: click.Context, _option: click.Parameter, value: str) -> int:
    """A span back from now (`90s`, `15m`, `6h`, `7d`, `2w`) or an ISO date or time, as Unix milliseconds."""
    if span := _SPAN.fullmatch(value.strip()):
        return time.time_ns() // 1_000_000 - int(float(span[1]) * _UNIT_MS[span[2]])
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is neither a span like 15m or 7d nor an ISO date") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)


def span_s(_context: click.Context, _option: click.Parameter, value: str) -> float:
    """A span (`90s`, `15m`, `1h`) in seconds."""
    span = _SPAN.fullmatch(value.strip())
    if span is None:
        raise click.BadParameter(f"{value!r} is no span like 90s, 15m or 1h")
    return float(span[1]) * _UNIT_MS[span[2]] / 1_000


def console() -> Console:
    """Where tables go; wide when nobody's terminal sets the width, so that a pipe gets whole names."""
    found = Console()
    return found if found.is_terminal else Console(width=_PIPE_COLUMNS)


def group_columns(table: Table, by: list[str]) -> None:
    """The leading columns of a table of groups."""
    for number, name in enumerate(by):
        table.add_column(name, min_width=6, overflow="fold", footer="total" if number == 0 else "")


def dollars(nanousd: int | None, unpriced: int = 0) -> str:
    """Money for a table, with what could not be priced said beside it."""
    if nanousd is None:
        return "unpriced"
    amount = "$" + format_usd(nanousd)
    return f"{amount} + {unpriced} unpriced" if unpriced else amount


def names(text: str) -> list[str]:
    """A comma-separated list without blanks."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _positions(place: LedgerPlace) -> Mapping[str, Position]:
    """The ledger's positions; none while it is not there, just being made, or away."""
    try:
        reader = open_reader(place)
    except (FileNotFoundError, LedgerError):
        return {}
    try:
        return reader.positions()
    except LedgerError:
        return {}
    finally:
        reader.close()


def place_of(root: Path, config: Path | None) -> LedgerPlace:
    """The ledger of a state directory: where its worker writes, else where the configuration says.

    Raises:
        LedgerError: the address of a database needs a secret that is missing.
    """
    state = StateDir(root)
    settings = settings_of(state)
    if settings.database_url is None and not state.snapshot.exists():
        named = _server(config).get("database_url")
        if named is not None:
            settings = msgspec.structs.replace(settings, database_url=Secret.template(str(named)))
    return ledger_place(root, settings)


def state_place(config: Path | None, state_dir: Path | None) -> Path:
    """The folder that was named, else `server.state_dir` of the configuration, else the default.

    The configuration need not be complete here: no secret is looked up.
    """
    if state_dir is not None:
        return state_dir
    named = _server(config).get("state_dir")
    if named is None:
        return _DEFAULT_STATE_DIR
    return Path(_ENV.sub(lambda found: os.environ.get(found[1], ""), str(named)))


def _server(config: Path | None) -> Mapping[str, Any]:
    """The part `server` of the configuration, else of the default one; empty where there is none."""
    if config is None and _DEFAULT_CONFIG.exists():
        config = _DEFAULT_CONFIG
    if config is None:
        return {}
    try:
        document: Any = YAML(typ="safe").load(config)  # pyright: ignore[reportUnknownMemberType]
    except YAMLError as error:
        raise click.ClickException(f"{config} cannot be read: {error}") from None
    try:
        server: Any = document["server"]
        return {str(name): value for name, value in server.items()}
    except (TypeError, KeyError, AttributeError):
        return {}
