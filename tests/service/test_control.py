"""The control plane of a running service, through its commands and the typed client."""

from __future__ import annotations

import asyncio
import http.client
import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.client import AsyncClient, Client, ProblemError, UnreachableError
from tests.service.service import Service, until

CONFIG = """\
version: 1
providers: {sim: {kind: simulator}}
routes: {echo: {policy: sim/echo}, other: {policy: sim/echo}}
orgs: {acme: {teams: {red: {}}}}
keys: [{name: filed, secret: sk-filed, org: acme, routes: [echo]}]
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the module."""
    with Service(tmp_path_factory.mktemp("s"), CONFIG) as running:
        yield running


def run(service: Service, *words: str, status: int = 0) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "penstock.cli", *words, "--state-dir", str(service.state)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def ask(
    service: Service, secret: str, body: dict[str, Any] | None = None, path: str = "/v1/chat/completions"
) -> tuple[int, Any]:
    """Status and answer of a request with this key."""
    connection: http.client.HTTPConnection = service.connect()
    said = {"model": "echo", "messages": [{"role": "user", "content": "hi"}], **(body or {})}
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
    connection.request("POST", path, json.dumps(said), headers)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    return answer.status, found


def connected(service: Service) -> dict[str, Any]:
    """How the typed client reaches control."""
    until((service.state / "control.sock").exists)
    return {
        "token": (service.state / "run" / "operator.token").read_text(),
        "socket": service.state / "control.sock",
    }


def test_a_key_lives_and_dies_by_commands(service: Service) -> None:
    """It works as soon as the command has ended, both secrets while a rotation overlaps, none after its end."""
    first = run(
        service, "keys", "create", "app", "--org", "acme", "--route", "echo", "--tag", "tier=gold"
    ).strip()
    assert ask(service, first)[0] == 200
    assert ask(service, first, {"model": "other"})[1]["error"]["code"] == "route_not_allowed"
    second = run(service, "keys", "rotate", "app", "--org", "acme", "--overlap", "3600").strip()
    assert [ask(service, secret)[0] for secret in (first, second)] == [200, 200]
    revoked = json.loads(run(service, "keys", "revoke", "app", "--org", "acme", "--json"))
    # Every gateway had acknowledged it by then: `behind` names those that had not.
    assert (revoked["applied"]["behind"], revoked["state"]) == ([], "revoked")
    assert [ask(service, secret)[0] for secret in (first, second)] == [401, 401]
    listed = run(service, "keys", "list", "--org", "acme")
    assert "revoked" in listed
    assert first not in listed
    assert ask(service, "sk-filed")[0] == 200


def test_scopes_hold_in_the_gateway(service: Service) -> None:
    """Each bound of a key refuses with its own code, and an output bound reaches the upstream."""
    secret = run(
        service, "keys", "create", "bound", "--org", "acme", "--endpoint", "chat", "--dialect", "openai",
        "--network", "127.0.0.0/8", "--max-tokens", "5",
    ).strip()  # fmt: skip
    assert ask(service, secret)[0] == 200
    assert ask(service, secret, {"input": "x"}, "/v1/embeddings")[1]["error"]["code"] == "endpoint_not_allowed"
    assert ask(service, secret, {"max_tokens": 6})[1]["error"]["code"] == "max_tokens_not_allowed"
    told = {"messages": [{"role": "user", "content": "one two three four five six seven eight nine ten"}]}
    answer = ask(service, secret, told)[1]
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] <= 5
    far = run(service, "keys", "create", "far", "--org", "acme", "--network", "192.0.2.0/24").strip()
    assert ask(service, far)[1]["error"]["code"] == "network_not_allowed"
    old = run(service, "keys", "create", "old", "--org", "acme", "--expires", "2020-01-01").strip()
    status, body = ask(service, old)
    assert (status, body["error"]["code"]) == (401, "key_expired")


def test_configuration_is_applied_compared_and_taken_back(service: Service, tmp_path: Path) -> None:
    """A file of changes is one revision, its difference can be read, and a rollback undoes it."""
    changes = tmp_path / "changes.yaml"
    changes.write_text("set:\n  routes: {added: {policy: {fallback: [sim/error-500, sim/echo]}}}\n")
    assert "+ route added" in run(service, "config", "diff", str(changes))
    run(service, "config", "apply", str(changes), "--reason", "more routes")
    key = run(service, "keys", "create", "any", "--org", "acme").strip()
    assert ask(service, key, {"model": "added"})[0] == 200
    history = [json.loads(line) for line in run(service, "config", "history", "--json").splitlines()]
    applied = next(one for one in history if one["reason"] == "more routes")
    assert applied["author"].startswith("operator")
    assert "+ route added" in run(service, "config", "diff", str(applied["number"] - 1), str(applied["number"]))
    run(service, "config", "rollback", str(applied["number"] - 1), "--reason", "too many")
    assert ask(service, key, {"model": "added"})[0] == 404
    assert ask(service, key)[0] == 200
    changes.write_text("set: {routes: {added: {policy: nobody/x}}}\n")
    refused = run(service, "config", "apply", str(changes), status=1)
    assert "routes.added.policy" in refused


def test_the_audit_log_has_it_all(service: Service) -> None:
    """The commands' changes are in it with who made them, and it verifies."""
    run(service, "orgs", "set", "gamma", "--reason", "new customer")
    verdict = json.loads(run(service, "audit", "verify", "--json"))
    assert verdict["valid"]
    lines = [json.loads(line) for line in run(service, "audit", "export").splitlines()]
    assert len(lines) == verdict["entries"]
    [made] = [line for line in lines if line["kind"] == "org" and line["name"] == "gamma"]
    assert (made["action"], made["reason"], made["actor_kind"]) == ("create", "new customer", "operator")
    assert run(service, "audit", "verify", "--head", verdict["head"]).startswith("whole")
    assert "NOT whole" in run(service, "audit", "verify", "--head", "3:beef", status=1)


def test_the_typed_client_does_what_the_commands_do(service: Service) -> None:
    """Synchronous and asynchronous, with typed answers and errors, and pages that follow by themselves."""
    with Client(**connected(service)) as client:
        assert client.whoami().kind == "operator"
        org = client.orgs.put("delta", {"limits": {"rpm": 5}}, version=0)
        assert org.spec == {"limits": {"rpm": 5}}
        with pytest.raises(ProblemError) as refused:
            client.orgs.put("delta", {}, version=org.version + 100)
        assert (refused.value.code, refused.value.status) == ("precondition_failed", 412)
        for number in range(3):
            client.teams.put(f"t{number}", {}, org="delta")
        page = client.teams.page(limit=2, org="delta")
        assert len(page.items) == 2
        assert [item.name for item in client.teams.list(org="delta")] == ["t0", "t1", "t2"]
        key = client.keys.create("k", org="delta", spec={"team": "t0"})
        assert key.secret not in repr(key)
        assert client.keys.rotate("k", org="delta").secret != key.secret
        assert client.keys.revoke("k", org="delta").state == "revoked"

    async def asynchronously() -> list[str]:
        async with AsyncClient(**connected(service)) as client:
            await client.teams.put("t3", {}, org="delta")
            names = [item.name async for item in client.teams.list(org="delta")]
            assert (await client.orgs.delete("delta", cascade=True)).changed
            return names

    assert asyncio.run(asynchronously()) == ["t0", "t1", "t2", "t3"]


def test_only_the_operator_gets_in_by_the_socket(service: Service) -> None:
    """Socket, token and database are this user's alone, and the socket without the token opens nothing."""
    found = connected(service)
    for name in ("control.sock", "control.db", "run/operator.token", "control.known"):
        mode = stat.S_IMODE((service.state / name).stat().st_mode)
        assert mode & 0o077 == 0, name
    with Client(token="guess", socket=found["socket"]) as client, pytest.raises(ProblemError) as refused:
        client.orgs.get("acme")
    assert refused.value.status == 401


def test_control_comes_back_with_all_that_it_knew(service: Service) -> None:
    """Killed in the middle of everything, the next one goes on where it was, and traffic never noticed."""
    secret = run(service, "keys", "create", "lasting", "--org", "acme").strip()
    before = json.loads(run(service, "config", "history", "--json", "--limit", "1"))
    service.kill("control")
    assert ask(service, secret)[0] == 200
    found: list[str] = []

    def answers() -> bool:
        try:
            found[:] = [run(service, "config", "history", "--json", "--limit", "1")]
        except AssertionError:
            return False
        return True

    until(answers)
    assert json.loads(found[0]) == before
    assert json.loads(run(service, "audit", "verify", "--json"))["valid"]


def test_without_a_service_the_commands_say_so(tmp_path: Path) -> None:
    """Status 1 and a sentence with the way out, not a traceback."""
    (tmp_path / "state").mkdir()
    command = [sys.executable, "-m", "penstock.cli", "keys", "list", "--state-dir", str(tmp_path / "state")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "start `penstock serve`" in done.stderr
    with Client(token="x", socket=tmp_path / "none.sock") as client, pytest.raises(UnreachableError):
        client.whoami()
