"""The files in deploy/, read."""

from __future__ import annotations

import configparser
import json
import subprocess
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from penstock.cli.serve import serve
from penstock.config.document import Document
from penstock.config.load import load_text
from tests.clients.needed import needed

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
_YAML: Any = YAML(typ="safe", pure=True)
# What the configurations refer to.
ENV = {
    "PENSTOCK_CONTROL_TOKEN": "a secret that all machines share",
    "DATABASE_URL": "postgresql://host/name",
    "REDIS_URL": "redis://host",
    "OPENAI_API_KEY": "k",
}


def manifests(name: str) -> list[dict[str, Any]]:
    """The documents of one file of Kubernetes manifests."""
    return list(_YAML.load_all((DEPLOY / "kubernetes" / f"{name}.yaml").read_text()))


def of_kind(name: str, kind: str) -> dict[str, Any]:
    """The first object of a kind in a file of manifests."""
    return next(one for one in manifests(name) if one["kind"] == kind)


def compose() -> dict[str, Any]:
    """The Compose file."""
    return _YAML.load((DEPLOY / "compose" / "compose.yaml").read_text())


def unit(name: str) -> configparser.SectionProxy:
    """The service section of a systemd unit; of a repeated key the last value."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "systemd" / name)
    return parser["Service"]


def configurations() -> dict[str, str]:
    """Every configuration file of ours, by where it stands."""
    found = {
        f"compose/{name}": (DEPLOY / "compose" / name).read_text() for name in ("control.yaml", "gateway.yaml")
    }
    for name in ("control.yaml", "penstock.yaml"):
        found[f"systemd/{name}"] = (DEPLOY / "systemd" / name).read_text()
    for name in ("control", "gateway"):
        found[f"kubernetes/{name}"] = of_kind(name, "ConfigMap")["data"]["penstock.yaml"]
    return found


def document(name: str) -> Document:
    """One of them, checked. Raises ConfigError."""
    return load_text(configurations()[name], ENV, name)


def commands() -> dict[str, list[str]]:
    """Every `penstock` command of ours, without the program's name, by where it stands."""
    found = {
        f"compose/{name}": service["command"]
        for name, service in compose()["services"].items()
        if service["image"].startswith("penstock")
    }
    for name in ("control", "gateway"):
        (container,) = of_kind(name, "StatefulSet")["spec"]["template"]["spec"]["containers"]
        found[f"kubernetes/{name}"] = container["args"]
    for name in ("penstock.service", "penstock-control.service"):
        program, *words = unit(name)["ExecStart"].split()
        assert program == "/opt/penstock/bin/penstock"
        found[f"systemd/{name}"] = words
    return found


def options(words: list[str]) -> dict[str, Any]:
    """What `penstock serve` makes of a command's words. Raises click.UsageError."""
    command, *rest = words
    assert command == "serve"
    return dict(serve.make_context("serve", list(rest)).params)


def judged(kind: str, value: Any) -> list[str]:
    """What the published schemas say against it."""
    python = needed("py-deploy") / "bin" / "python"
    judge = Path(__file__).with_name("judge.py")
    done = subprocess.run(
        [python, judge, kind], input=json.dumps(value), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []
