"""`penstock secrets`: the keys that stored secrets are sealed with."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from penstock.bootstrap.control import now_ms
from penstock.bootstrap.sealing import Sealing
from penstock.bootstrap.state_dir import StateDir
from penstock.cli.files import sole_service, state_dir
from penstock.ports.secrets import UnsealError

_T = TypeVar("_T")
_FILE = click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file.")
_STATE = click.option("--state-dir", "state", type=click.Path(path_type=Path), help="Folder of the state.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def secrets() -> None:
    """Look after the keys that stored secrets are sealed with."""


@secrets.command()
@_JSON
@_FILE
@_STATE
def status(file: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Show the master key's name, the data keys, and how many stored values each has sealed."""
    sealing, _ = _sealing(file, state)
    facts = _told(lambda: _facts(sealing))
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"master key  {facts['master']}")
    if not facts["data_keys"]:
        click.echo("nothing has been sealed yet")
    for key in facts["data_keys"]:
        made = dt.datetime.fromtimestamp(key["created_ms"] / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M")
        holds = ", ".join(f"{count:,} in {name}" for name, count in key["sealed"].items()) or "nothing stored"
        click.echo(f"data key    {key['id']}  {'seals, ' if key['active'] else ''}made {made} UTC, {holds}")
        others = [name for name in key["masters"] if name != facts["master"]]
        if others:
            click.echo(
                f"            opened by {', '.join(others)} as well; end that with `penstock secrets retire`"
            )
    if facts["leftover"]:
        click.echo(f"{facts['leftover']} is in force no longer; delete it once nothing needs it")


@secrets.command()
@click.option("--master", is_flag=True, help="Change the master key instead of the data key.")
@_JSON
@_FILE
@_STATE
def rotate(file: Path | None, state: Path | None, *, master: bool, as_json: bool) -> None:
    """Make a new data key and seal everything that is stored with it, while the service runs.

    With --master the data keys are wrapped by a new master key: `master.key` is replaced, a key of
    PENSTOCK_NEW_MASTER_KEY, PENSTOCK_NEW_MASTER_KEY_FILE or PENSTOCK_NEW_KMS is added until `secrets retire`.
    What earlier keys have sealed stays readable throughout, also if this is broken off.
    """
    sealing, running = _sealing(file, state)
    if master:
        new, alone = _told(sealing.rotate_master)
        _say(as_json, {"master": new.id, "alone": alone}, _after_master(new.id, alone=alone))
        return
    made = _told(sealing.rotate_data_key)
    counts = _told(sealing.reseal)
    lines = [f"data key {made} seals from now on"]
    lines += [f"{count:,} values of {name} sealed anew" for name, count in counts.items() if count]
    left = {store.name: _others(store.data_keys(), made) for store in sealing.stores}
    for name, count in left.items():
        if count:
            lines.append(f"{count:,} values of {name} are sealed with an earlier key and stay readable")
    if running and left["snapshot"]:
        lines.append(
            "control has not published within 15 s: see its log, then run `penstock secrets rotate` again"
        )
    _say(as_json, {"data_key": made, "resealed": counts, "left": left}, lines)


@secrets.command()
@click.option(
    "--data-keys", is_flag=True, help="Forget data keys that have sealed nothing stored here as well."
)
@_JSON
@_FILE
@_STATE
def retire(file: Path | None, state: Path | None, *, data_keys: bool, as_json: bool) -> None:
    """Take from earlier master keys what they can open; run it when every process has the new one.

    With --data-keys unused data keys are forgotten. Ids of videos that clients were given under them are
    unknown afterwards.
    """
    sealing, _ = _sealing(file, state)
    others = _told(lambda: sealing.rotation.retire(sealing.master()))
    lines = [f"master key {name} opens nothing any more" for name in others] or [
        "no earlier master key was left"
    ]
    gone = _told(sealing.unused) if data_keys else []
    if gone:
        _told(lambda: sealing.rotation.forget(gone))
        lines += [f"data key {name} is forgotten" for name in gone]
    _say(as_json, {"masters": others, "data_keys": gone}, lines)


def _facts(sealing: Sealing) -> dict[str, Any]:
    ring = sealing.ring
    counts = {store.name: store.data_keys() for store in sealing.stores}
    keys = [
        {
            "id": key.id,
            "created_ms": key.created_ms,
            "active": ring is not None and key.id == ring.active,
            "masters": sorted(key.wrapped),
            "sealed": {name: found[key.id] for name, found in counts.items() if key.id in found},
        }
        for key in (ring.keys if ring is not None else ())
    ]
    return {"master": sealing.master().id, "data_keys": keys, "leftover": sealing.leftover()}


def _others(found: dict[str, int], active: str) -> int:
    return sum(count for name, count in found.items() if name != active)


def _after_master(name: str, *, alone: bool) -> list[str]:
    if alone:
        return [f"master key {name} is in force; earlier ones open nothing any more"]
    return [
        f"the data keys are wrapped by master key {name} as well",
        "now give it to the service (PENSTOCK_MASTER_KEY, _MASTER_KEY_FILE or PENSTOCK_KMS), restart it,",
        "and run `penstock secrets retire` with the same environment",
    ]


def _sealing(file: Path | None, state: Path | None) -> tuple[Sealing, bool]:
    found = state_dir(file, state)
    if not found.root.is_dir():
        raise click.ClickException(f"there is no state in {found.root}; name its place with -c or --state-dir")
    running = _is_running(found)
    return Sealing(found, os.environ, running=running, now_ms=now_ms), running


def _is_running(state: StateDir) -> bool:
    state.create()
    try:
        with sole_service(state):
            pass
    except click.ClickException:
        return True
    return False


def _told(act: Callable[[], _T]) -> _T:
    try:
        return act()
    except UnsealError as error:
        raise click.ClickException(str(error)) from None


def _say(as_json: bool, facts: dict[str, Any], lines: list[str]) -> None:
    click.echo(json.dumps(facts) if as_json else "\n".join(lines))
