"""Secrets in `penstock serve`: rotations under load, Vault, files, and the commands."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from penstock.cli import main
from penstock.testing.simulator import SimulatorThread
from tests.secrets.vault import FakeVault
from tests.service.load import Load
from tests.service.service import Service, until
from tests.service.test_serve import ask
from tests.translation.upstream import Answer, Asked, CannedUpstream

CHAT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1", api_key: "{key}"}}
deployments:
  main: {{provider: up, model: echo}}
routes:
  chat: {{policy: main}}
keys:
  - {{name: dev, secret: sk-service}}
"""
VAULT = """
vault: {{address: "{url}", role_id: role, secret_id: "${{VAULT_SECRET_ID}}", refresh: 1s}}
"""
PLACE = "secret/data/openai"


def penstock(service: Service, *words: str, env: dict[str, str] | None = None) -> Any:
    """Run a command about the service; what its JSON says, or its error."""
    done = CliRunner(env=env).invoke(main, [*words, "--json", "--state-dir", str(service.state)])
    return json.loads(done.stdout) if done.exit_code == 0 else done.stderr


class Keyed:
    """An upstream that remembers the credential of each request."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        self.seen.append(asked.headers.get("authorization", "").removeprefix("Bearer "))
        return Answer(CHAT)


@pytest.fixture
def keyed() -> Iterator[tuple[Keyed, str]]:
    """Such an upstream and its address."""
    made = Keyed()
    with CannedUpstream(made) as upstream:
        yield made, upstream.url


def arrives(keyed: Keyed, service: Service, key: str) -> Callable[[], bool]:
    """Whether a request goes out with this credential."""

    def check() -> bool:
        status, body, _ = ask(service.port)
        assert status == 200, body
        return keyed.seen[-1] == key

    return check


def test_keys_rotate_under_load(tmp_path: Path) -> None:
    """New data keys and new master keys while requests run: all are answered, all values are sealed anew."""
    with (
        SimulatorThread() as simulator,
        Service(tmp_path, CONFIG.format(url=simulator.url, key="sk-literal")) as service,
    ):
        load = Load(service.port, "sk-service", threads=2)
        load.start()
        before = penstock(service, "secrets", "status")
        for _ in range(2):
            load.wait_for(len(load.complete) + 10)
            rotated = penstock(service, "secrets", "rotate")
            assert (rotated["resealed"]["snapshot"], rotated["left"]["snapshot"]) == (1, 0)
            assert penstock(service, "secrets", "rotate", "--master")["alone"]
        load.wait_for(len(load.complete) + 10)
        load.stop()
        assert (load.broken, len(load.complete)) == (0, load.sent)
        after = penstock(service, "secrets", "status")
        assert after["master"] != before["master"]
        newest, earlier, first = (key["sealed"] for key in after["data_keys"])
        assert (newest, earlier, set(first)) == ({"snapshot": 1}, {}, {"control.db"})
        assert len(penstock(service, "secrets", "retire", "--data-keys")["data_keys"]) == 1
        service.kill("gateway")
        until(lambda: ask(service.port)[0] == 200)


@pytest.mark.long
def test_keys_rotate_while_nothing_runs(tmp_path: Path, keyed: tuple[Keyed, str]) -> None:
    """The command seals the snapshot itself; a start opens it with the old key and the new, until `retire`."""
    env = {"PENSTOCK_MASTER_KEY": base64.b64encode(bytes(32)).decode()}
    new = {"PENSTOCK_NEW_MASTER_KEY": base64.b64encode(bytes(range(32))).decode()}
    service = Service(tmp_path, CONFIG.format(url=keyed[1], key="sk-literal"), env)
    with service:
        assert ask(service.port)[0] == 200
    assert penstock(service, "secrets", "rotate", env=env)["left"] == {
        "snapshot": 0,
        "owned.db": 0,
        "answers.db": 0,
    }
    assert "give the new one in PENSTOCK_NEW_MASTER_KEY" in penstock(
        service, "secrets", "rotate", "--master", env=env
    )
    assert not penstock(service, "secrets", "rotate", "--master", env={**env, **new})["alone"]
    after = {"PENSTOCK_MASTER_KEY": new["PENSTOCK_NEW_MASTER_KEY"]}
    for each in (env, after):
        with Service(tmp_path, service.config.read_text(), each) as again:
            assert ask(again.port)[0] == 200
    assert len(penstock(service, "secrets", "retire", env=after)["masters"]) == 1
    assert "set the master key that is in force" in penstock(service, "config", "show", env=env)
    assert "sealed" not in penstock(service, "config", "show", env=after)
    assert not (service.state / "master.key").exists()


def test_a_secret_in_vault_is_used_and_follows_its_rotation(tmp_path: Path, keyed: tuple[Keyed, str]) -> None:
    """A new version in Vault reaches the upstream without a restart, and no gateway ever asked Vault."""
    text = CONFIG.format(url=keyed[1], key=f"${{vault:{PLACE}#key}}")
    with FakeVault() as vault:
        vault.roles["role"] = "vault-secret-id"
        vault.kv[PLACE] = {"key": "sk-first"}
        with Service(
            tmp_path, text + VAULT.format(url=vault.url), {"VAULT_SECRET_ID": "vault-secret-id"}
        ) as service:
            assert arrives(keyed[0], service, "sk-first")()
            vault.kv[PLACE] = {"key": "sk-second"}
            until(arrives(keyed[0], service, "sk-second"))
            vault.sealed = True
            until(lambda: "503: it is sealed" in service.output.read_text())
            service.kill("gateway")
            until(arrives(keyed[0], service, "sk-second"))
            shown = penstock(service, "config", "show")
            assert shown["document"]["providers"]["up"]["api_key"] == f"${{vault:{PLACE}#key}}"
        for path in service.state.rglob("*"):
            assert not path.is_file() or b"sk-second" not in path.read_bytes()
    # Everything starts with Vault away: the last value stands, sealed, in the snapshot.
    with Service(
        tmp_path, text + VAULT.format(url=vault.url), {"VAULT_SECRET_ID": "vault-secret-id"}
    ) as service:
        assert arrives(keyed[0], service, "sk-second")()


def test_a_secret_file_that_changes_is_read_again(tmp_path: Path, keyed: tuple[Keyed, str]) -> None:
    """A mounted secret that is replaced reaches the upstream without a restart; an empty one does not."""
    file = tmp_path / "key"
    file.write_text("sk-first\n")
    with Service(tmp_path, CONFIG.format(url=keyed[1], key=f"${{file:{file}}}")) as service:
        assert arrives(keyed[0], service, "sk-first")()
        draft = tmp_path / "draft"
        draft.write_text("sk-second\n")
        draft.replace(file)
        until(arrives(keyed[0], service, "sk-second"))
        file.write_text("")
        until(lambda: "the configuration in force goes on" in service.output.read_text())
        assert arrives(keyed[0], service, "sk-second")()


def test_a_start_that_cannot_fetch_says_what_to_do(tmp_path: Path) -> None:
    """Without an earlier value, and without an address: one sentence, no traceback."""
    file = tmp_path / "penstock.yaml"
    cases = {
        "": "set vault.address or VAULT_ADDR",
        'vault: {address: "http://127.0.0.1:9"}': "no credential; set vault.token, vault.role_id or VAULT",
        'vault: {address: "http://127.0.0.1:9", token: t}': "http://127.0.0.1:9 does not answer",
    }
    for more, said in cases.items():
        file.write_text(CONFIG.format(url="http://127.0.0.1:9", key=f"${{vault:{PLACE}#key}}") + more)
        command = [sys.executable, "-m", "penstock.cli", "serve", "-c", str(file), "--state-dir", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert said in done.stderr


@pytest.mark.long
def test_the_master_key_may_stay_in_vault(tmp_path: Path, keyed: tuple[Keyed, str]) -> None:
    """With PENSTOCK_KMS no key is on disk; gateways open the snapshot by Transit, and rotation works."""
    with FakeVault() as vault:
        env = {"PENSTOCK_KMS": "vault:transit/penstock", "VAULT_ADDR": vault.url, "VAULT_TOKEN": vault.token()}
        with Service(tmp_path, CONFIG.format(url=keyed[1], key="sk-literal"), env) as service:
            assert arrives(keyed[0], service, "sk-literal")()
            assert penstock(service, "secrets", "rotate", env=env)["left"]["snapshot"] == 0
            assert penstock(service, "secrets", "rotate", "--master", env=env)["alone"]
            service.kill("gateway")
            until(arrives(keyed[0], service, "sk-literal"))
            assert penstock(service, "secrets", "status", env=env)["master"] == "vault:transit/penstock"
            assert not (service.state / "master.key").exists()
