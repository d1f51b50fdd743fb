"""The admin API through a running gateway: on the public port, and on an address of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.bootstrap.places import admin_address
from penstock.config.document import Server
from tests.service.service import Service, free_port, until

CONFIG = """\
version: 1
providers: {sim: {kind: simulator}}
routes: {echo: {policy: sim/echo}}
orgs: {acme: {}}
"""


def call(
    service: Service, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None
) -> tuple[int, dict[str, str], Any]:
    """Status, fields and answer of a request with the operator's token, unless `headers` say otherwise."""
    token = (service.state / "run" / "operator.token").read_text()
    connection = service.connect()
    sent = {"authorization": f"Bearer {token}", "content-type": "application/json", **(headers or {})}
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), json.loads(data) if data else None


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the module, its control answering."""
    with Service(tmp_path_factory.mktemp("s"), CONFIG) as running:
        until((running.state / "control.sock").exists)
        yield running


def test_the_admin_api_is_on_the_public_port_of_loopback(service: Service) -> None:
    """A change goes through the gateway, which alone says to control whose it is."""
    lies = {"x-forwarded-for": "1.1.1.1", "x-penstock-client": "2.2.2.2", "x-penstock-os-user": "root"}
    status, headers, made = call(service, "PUT", "/admin/api/orgs/new%2Ds", lies, "{}")
    assert (status, made["name"]) == (201, "new-s")
    assert headers["etag"] == f'"{made["version"]}"'
    entry = call(service, "GET", "/admin/api/audit?action=create&name=new-s")[2]["items"][0]
    assert (entry["address"], entry["actor"]) == ("127.0.0.1", "operator")
    assert entry["request_id"] == headers["x-penstock-request-id"]


def test_large_answers_and_heads_pass(service: Service) -> None:
    """The OpenAPI document passes whole; HEAD says how long it is."""
    _, headers, schema = call(service, "GET", "/admin/api/schema")
    assert "/admin/api/whoami" in schema["paths"]
    status, told, body = call(service, "HEAD", "/admin/api/schema")
    assert (status, told["content-length"], body) == (200, headers["content-length"], None)


def test_without_control_the_gateway_says_so_and_recovers(service: Service) -> None:
    """Killed, control is missed with a 503 that names it; restarted, it is there again."""
    service.kill("control")
    connection = service.connect()
    connection.request("GET", "/admin/api/whoami")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (503, "control_unavailable")
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
    until(lambda: call(service, "GET", "/admin/api/whoami")[0] == 200)


def test_a_deep_folder_hides_control_from_nobody(tmp_path: Path) -> None:
    """Beyond what a socket's path may be long: gateways, commands and the client find control all the same."""
    folder = tmp_path / ("deep" * 20) / ("er" * 40)
    folder.mkdir(parents=True)
    with Service(folder, CONFIG) as service:
        until((service.state / "control.sock").exists)
        assert len(str(service.state / "control.sock")) > 200
        until(lambda: call(service, "GET", "/admin/api/whoami")[0] == 200)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "penstock.cli", "orgs", "list", "--json"),
                *("-c", service.config, "--state-dir", service.state),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "acme" in done.stdout


def test_an_own_address_takes_them_off_the_public_port(tmp_path: Path) -> None:
    """With admin_listen the public port answers 404, and the other address serves nothing else."""
    port = free_port()
    with Service(tmp_path, f"{CONFIG}server: {{admin_listen: '127.0.0.1:{port}'}}\n") as running:
        until((running.state / "control.sock").exists)
        status, _, told = call(running, "GET", "/admin/api/whoami")
        assert (status, told["code"]) == (404, "unknown_path")
        assert "server.admin_listen" in told["detail"]
        running.port = port
        assert call(running, "GET", "/admin/api/whoami")[2]["kind"] == "operator"
        assert call(running, "POST", "/v1/chat/completions", body="{}")[0] == 404


def test_a_person_is_made_and_logs_in(service: Service) -> None:
    """`penstock users create` makes somebody who logs in over the public port; `logout` ends it."""

    def run(*words: str, given: str = "") -> str:
        command = [sys.executable, "-m", "penstock.cli", "users", *words, "--state-dir", str(service.state)]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    secret = "a long enough password"
    run("create", "ann", "--org", "acme", "--role", "admin", "--password-stdin", given=f"{secret}\n")
    anonymous = {"authorization": ""}
    said = json.dumps({"org": "acme", "user": "ann", "password": secret})
    status, headers, told = call(service, "POST", "/admin/api/session", anonymous, said)
    assert (status, told["grants"]) == (201, [{"role": "admin", "org": "acme", "team": ""}])
    connection = service.connect()
    cookie = {"cookie": headers["set-cookie"].partition(";")[0]}
    for expected in (200, 401):
        connection.request("GET", "/admin/api/whoami", headers=cookie)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == expected
        run("logout", "ann", "--org", "acme")
    connection.close()


@pytest.mark.parametrize(
    ("server", "address"),
    [
        (Server(), None),
        (Server(listen="[::1]:4000"), None),
        (Server(listen="0.0.0.0:4000"), "127.0.0.1:4001"),
        (Server(listen="gate.example:4000"), "127.0.0.1:4001"),
        (Server(listen="0.0.0.0:4000", admin_listen="127.0.0.1:9"), "127.0.0.1:9"),
        (Server(admin_listen="127.0.0.1:9"), "127.0.0.1:9"),
    ],
)
def test_beyond_loopback_they_have_their_own_address(server: Server, address: str | None) -> None:
    """As soon as others reach the public port, the next one on loopback has the control plane's paths."""
    assert admin_address(server, 4000) == address
