"""The Compose file's own configurations, secrets and balancer at work, without containers."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from scripts.test_tools import find_nginx
from tests.accounts.redis_server import RedisServer
from tests.clients.needed import needed
from tests.databases.postgres import postgres_server
from tests.deploy.files import DEPLOY, commands, options
from tests.service.processes import Served, penstock
from tests.service.service import free_port, until

SECRETS = "/run/secrets/"


class House:
    """A copy of deploy/compose with the names of its network replaced by this machine's ports."""

    def __init__(self, folder: Path, database: str, redis: str) -> None:
        self.folder = folder / "compose"
        shutil.copytree(DEPLOY / "compose", self.folder, ignore=shutil.ignore_patterns("secrets"))
        subprocess.run([self.folder / "prepare.sh"], check=True, timeout=60)
        self.secrets = self.folder / "secrets"
        self.made = {path.name: path.read_text() for path in self.secrets.iterdir()}
        (self.secrets / "database_url").write_text(database)
        (self.secrets / "redis_url").write_text(redis)
        self.ports = {name: free_port() for name in ("control", "gateway-1", "gateway-2", "balancer")}
        self._replace("control.yaml", "0.0.0.0:4002", f"127.0.0.1:{self.ports['control']}")
        self._replace("gateway.yaml", "https://control:4002", f"https://localhost:{self.ports['control']}")
        for name in ("control.yaml", "gateway.yaml"):
            self._replace(name, SECRETS, f"{self.secrets}/")
        for name in ("gateway-1", "gateway-2"):
            self._replace("nginx.conf", f"{name}:4000", f"127.0.0.1:{self.ports[name]}")
        self._replace("nginx.conf", "listen 4000;", f"listen 127.0.0.1:{self.ports['balancer']};")
        if Path("/proc/self").stat().st_uid == 0:
            self._replace("nginx.conf", "events {", "user root;\nevents {")

    def _replace(self, name: str, what: str, by: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert what in text, (name, what)
        path.write_text(text.replace(what, by))

    def service(self, name: str) -> Served:
        """One service of the file, started by its own command with this machine's paths."""
        told = options(commands()[f"compose/{name}"])
        config = self.folder / Path(str(told["config"])).name
        port = self.ports[name] if name != "control" else 0
        return Served(config, self.folder / name, told["role"] or "", listen=port)

    def balancer(self) -> subprocess.Popen[bytes]:
        """The balancer, by its own configuration."""
        program = find_nginx()
        assert program is not None
        where = self.folder / "nginx"
        where.mkdir()
        own = f"daemon off; pid {where}/pid; error_log {where}/log;"
        return subprocess.Popen([program, "-p", str(where), "-c", str(self.folder / "nginx.conf"), "-g", own])

    def ask(self, key: str) -> int:
        """The status of one request through the balancer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["balancer"], timeout=20)
        with closing(connection):
            body = {"model": "hello", "messages": [{"role": "user", "content": "Hello"}]}
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status


@pytest.mark.long
def test_the_files_serve_requests_and_survive_a_replacement(tmp_path: Path) -> None:
    """A key from control is served through nginx by both gateways, also while one of them is being replaced."""
    needed("nginx")
    with (
        ExitStack() as stack,
        postgres_server() as postgres,
        RedisServer(needed("redis") / "redis-server", tmp_path) as redis,
    ):
        house = House(tmp_path, postgres.database(), redis.url)
        control = stack.enter_context(house.service("control"))
        gateways = [stack.enter_context(house.service(name)) for name in ("gateway-1", "gateway-2")]
        balancer = house.balancer()
        stack.callback(balancer.wait, 20)
        stack.callback(balancer.terminate)
        for gateway in gateways:
            gateway.wait_said("Penstock listens on")
            until(lambda gateway=gateway: any((gateway.state / "run").glob("*.json")), 40.0)
        until((control.state / "control.sock").exists, 40.0)
        where = ("-c", str(control.config), "--state-dir", str(control.state))
        made = penstock("keys", "create", "first", "--org", "acme", *where)
        assert made.returncode == 0, made.stderr
        key = made.stdout.split()[0]
        assert [house.ask(key) for _ in range(8)] == [200] * 8
        gateways[0].stop()
        assert [house.ask(key) for _ in range(8)] == [200] * 8


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """A second run of prepare.sh keeps them all, and each password is in the address that uses it."""
    house = House(tmp_path, "x", "y")
    assert house.made["postgres_password"] in house.made["database_url"]
    assert house.made["redis_password"] in house.made["redis_url"]
    assert len(set(house.made.values())) == len(house.made) == 7
    for name, content in house.made.items():
        (house.secrets / name).write_text(content)
    subprocess.run([house.folder / "prepare.sh"], check=True, timeout=60)
    assert {path.name: path.read_text() for path in house.secrets.iterdir()} == house.made
