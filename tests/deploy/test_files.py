"""The files in deploy/ fit their schemas, our configuration, and each other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.config.document import Document, Drain
from tests.clients.needed import needed
from tests.deploy.files import (
    DEPLOY,
    ENV,
    commands,
    compose,
    configurations,
    document,
    judged,
    manifests,
    of_kind,
    options,
    unit,
)

# What the worker may take after gateways have left (bootstrap.supervisor).
WORKER_S = 15


def leaving(document: Document) -> float:
    """How long a gateway and then the worker may take to end."""
    drain: Drain = document.server.drain
    return drain.notice_s + drain.idle_s + drain.deadline_s + WORKER_S


@pytest.mark.parametrize("name", ["control", "gateway", "network"])
def test_manifests_fit_kubernetes(name: str) -> None:
    """By the types made from its OpenAPI document; a field that it does not know is an error."""
    assert judged("kubernetes", manifests(name)) == []


def test_the_judge_sees_mistakes() -> None:
    """A misspelt field, a value of another kind and a missing one are found, at any depth."""
    wrong = of_kind("gateway", "StatefulSet")
    (container,) = wrong["spec"]["template"]["spec"]["containers"]
    container["readinessProbe"]["periodSecond"] = 1
    assert any("periodSecond" in each or "template" in each for each in judged("kubernetes", [wrong]))
    wrong = of_kind("gateway", "PodDisruptionBudget")
    wrong["spec"]["selector"] = "all"
    assert any("selector" in each for each in judged("kubernetes", [wrong]))
    file = compose()
    file["services"]["control"]["comand"] = []
    assert any("comand" in each for each in judged("compose", file))


def test_the_compose_file_fits_its_specification() -> None:
    """Unknown keys and impossible values are errors."""
    assert judged("compose", compose()) == []


@pytest.mark.parametrize("name", sorted(configurations()))
def test_configurations_are_valid(name: str, tmp_path: Path) -> None:
    """`penstock check` takes each of them, with what the files beside it provide."""
    (tmp_path / "penstock.yaml").write_text(configurations()[name])
    done = subprocess.run(
        [sys.executable, "-m", "penstock.cli", "check", str(tmp_path / "penstock.yaml")],
        env=ENV,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(commands()))
def test_commands_are_ours(name: str) -> None:
    """`penstock serve` knows each of their options, and each names a configuration and a place for state."""
    told = options(commands()[name])
    assert str(told["config"]).startswith("/etc/penstock/")
    assert str(told["state_dir"]).startswith("/var/lib/penstock")
    assert told["role"] == ("control" if "control" in name else None)


def test_each_kind_of_deployment_follows_its_control() -> None:
    """Gateways name the port that control listens at, by a name that is there."""
    for kind, gateways, host in (
        ("compose", "gateway.yaml", "control"),
        ("kubernetes", "gateway", "penstock-control"),
    ):
        control = document(f"{kind}/control" + (".yaml" if kind == "compose" else ""))
        gateway = document(f"{kind}/{gateways}")
        assert control.server.control_listen is not None
        port = control.server.control_listen.rpartition(":")[2]
        assert gateway.server.control_url == f"https://{host}:{port}"
    assert "control" in compose()["services"]
    assert of_kind("control", "Service")["metadata"]["name"] == "penstock-control"


def test_nobody_is_killed_while_it_leaves() -> None:
    """The grace of each manager is longer than a gateway's drain and its worker's last work."""
    pod = of_kind("gateway", "StatefulSet")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > leaving(document("kubernetes/gateway"))
    for name in ("gateway-1", "gateway-2"):
        grace = compose()["services"][name]["stop_grace_period"]
        assert int(grace.removesuffix("s")) > leaving(document("compose/gateway.yaml"))
    assert int(unit("penstock.service")["TimeoutStopSec"]) > leaving(document("systemd/penstock.yaml"))


def test_probes_ask_what_a_gateway_answers() -> None:
    """/readyz before it gets requests, /healthz before a restart; notice is long enough to be seen."""
    (container,) = of_kind("gateway", "StatefulSet")["spec"]["template"]["spec"]["containers"]
    server = document("kubernetes/gateway").server
    assert container["ports"][0]["containerPort"] == int(server.listen.rpartition(":")[2])
    ready = container["readinessProbe"]
    assert (ready["httpGet"]["path"], container["livenessProbe"]["httpGet"]["path"]) == ("/readyz", "/healthz")
    assert server.drain.notice_s > ready["periodSeconds"] * ready["failureThreshold"]


def test_secrets_and_volumes_that_are_used_are_there() -> None:
    """No service names one that its file does not define, and the configurations read no other."""
    file = compose()
    used = {name for service in file["services"].values() for name in service.get("secrets", ())}
    assert used == set(file["secrets"])
    for name, role in (("control.yaml", "control"), ("gateway.yaml", "gateway-1")):
        read = set(re.findall(r"/run/secrets/([a-z._]+)", configurations()[f"compose/{name}"]))
        assert read <= set(file["services"][role]["secrets"])
    volumes = {each.partition(":")[0] for one in file["services"].values() for each in one.get("volumes", ())}
    assert {each for each in volumes if not each.startswith("./")} == set(file["volumes"])
    for name in ("control", "gateway"):
        stateful = of_kind(name, "StatefulSet")["spec"]
        pod: dict[str, Any] = stateful["template"]["spec"]
        there = {each["name"] for each in pod["volumes"]}
        there |= {each["metadata"]["name"] for each in stateful["volumeClaimTemplates"]}
        (container,) = pod["containers"]
        assert {each["name"] for each in container["volumeMounts"]} == there
        given = {each["name"] for each in container["env"]}
        assert set(re.findall(r"\$\{([A-Z_]+)\}", configurations()[f"kubernetes/{name}"])) <= given


def test_selectors_select_our_pods() -> None:
    """Services, disruption budgets, the autoscaler and network policies mean pods that exist."""
    for name in ("control", "gateway"):
        labels = of_kind(name, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
        for one in manifests(name):
            if one["kind"] == "Service":
                assert one["spec"]["selector"] == labels
            elif one["kind"] in {"PodDisruptionBudget", "StatefulSet"}:
                assert one["spec"]["selector"]["matchLabels"] == labels
        (policy,) = (one for one in manifests("network") if one["metadata"]["name"] == f"penstock-{name}")
        assert policy["spec"]["podSelector"]["matchLabels"] == labels
    scaler = of_kind("gateway", "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    scaled = of_kind("gateway", "StatefulSet")
    assert (scaler["kind"], scaler["name"]) == (scaled["kind"], scaled["metadata"]["name"])


@pytest.mark.parametrize("name", ["penstock.service", "penstock-control.service"])
def test_units_are_valid_and_hardened(name: str, tmp_path: Path) -> None:
    """Systemd finds nothing to say against them, and rates their exposure as low."""
    needed("systemd")
    text = (DEPLOY / "systemd" / name).read_text()
    assert "/opt/penstock/bin/penstock" in text
    (tmp_path / name).write_text(text.replace("/opt/penstock/bin/penstock", sys.executable))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    secured = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert secured.returncode == 0, secured.stdout[-500:]
