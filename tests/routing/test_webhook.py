"""A webhook as the last resort, and nodes that choose, through a real gateway and a real simulator."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from penstock.compile.targets import CompileError
from penstock.config.problem import ConfigError
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


class Service:
    """A webhook's receiver: keeps what was posted and answers what it was told to."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.answer = json.dumps({"text": "A colleague will write to you."}).encode()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                service.posts.append((headers, body))
                self.send_response(service.status)
                self.send_header("content-length", str(len(service.answer)))
                self.end_headers()
                self.wfile.write(service.answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Silence."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/answer"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def service() -> Iterator[Service]:
    """A running receiver."""
    made = Service()
    yield made
    made.close()


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorThread]:
    """A running simulator."""
    with SimulatorThread() as running:
        yield running


def config(policy: str) -> str:
    """One route with this policy over the simulator."""
    return f"""
version: 1
providers: {{sim: {{kind: simulator}}}}
deployments:
  cheap: {{provider: sim, model: echo, price: {{input: 0.1, output: 0.4}}, set: {{system_prefix: "Be brief."}}}}
  strong: {{provider: sim, model: echo, price: {{input: 3, output: 15}}}}
routes: {{r: {{policy: {policy}}}}}
keys:
  - {{name: dev, secret: sk-dev-0123456789, org: acme}}
  - {{name: ent, secret: sk-ent-0123456789, org: acme, tags: {{tier: enterprise}}}}
"""


def ask(gateway: GatewayThread, prompt: str = "Hi", key: str = "dev", **more: Any) -> httpx.Response:
    """A chat request to the route."""
    headers = {"authorization": f"Bearer sk-{key}-0123456789", "x-penstock-tags": more.pop("tags", "feature=x")}
    body = {"model": "r", "messages": [{"role": "user", "content": prompt}], **more}
    return httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=10)


def through(simulator: SimulatorThread, policy: str) -> GatewayThread:
    """A gateway with this policy."""
    return GatewayThread(config(policy), urls={"simulator": f"{simulator.url}/v1"})


def test_a_webhook_is_told_the_facts_and_its_text_is_the_answer(
    simulator: SimulatorThread, service: Service
) -> None:
    """Signed as Standard Webhooks are; what was asked is sent only where that is configured."""
    hook = f"{{url: '{service.url}', secret: '{SECRET}', prompt: true}}"
    with through(simulator, f"{{fallback: [sim/error-500, {{webhook: {hook}}}]}}") as gateway:
        answer = ask(gateway, "Where is it?", tags="user=ada,session=s1")
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "A colleague will write to you."
    headers, body = service.posts[0]
    told = json.loads(body)
    assert (told["route"], told["org"], told["user"], told["prompt"]) == (
        "r",
        "acme",
        "ada",
        "Where is it?",
    )
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"


@pytest.mark.parametrize("bad", [b"no JSON", b'{"words": 1}', b'{"text": 5}', b"x" * 300_000])
def test_a_webhook_without_an_answer_is_passed_over(
    simulator: SimulatorThread, service: Service, bad: bytes
) -> None:
    """What it answers wrongly is no answer: the policy goes on, and nothing of the prompt was sent."""
    service.answer = bad
    policy = f"{{fallback: [{{webhook: {{url: '{service.url}'}}}}, {{static: Sorry}}]}}"
    with through(simulator, policy) as gateway:
        answer = ask(gateway)
    assert answer.json()["choices"][0]["message"]["content"] == "Sorry"
    assert "prompt" not in json.loads(service.posts[0][1])


def test_where_a_webhook_was_all_there_was_its_failure_is_told(
    simulator: SimulatorThread, service: Service
) -> None:
    """An error says that the webhook had no answer."""
    service.status = 503
    with through(simulator, f"{{webhook: {{url: '{service.url}'}}}}") as gateway:
        answer = ask(gateway)
    assert answer.status_code >= 500
    assert "webhook" in answer.text


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        ("{url: 'http://169.254.169.254/latest'}", "metadata"),
        ("{url: 'http://[::ffff:169.254.169.254]/'}", "metadata"),
        ("{url: 'https://example.com', secret: short}", "whsec_"),
    ],
)
def test_a_webhook_that_may_not_be_asked_is_refused(simulator: SimulatorThread, hook: str, words: str) -> None:
    """Cloud metadata is never posted to, and a key has its length."""
    with pytest.raises((CompileError, ConfigError), match=words), through(simulator, f"{{webhook: {hook}}}"):
        pass


def test_nodes_choose_in_a_running_gateway(simulator: SimulatorThread) -> None:
    """A key's tag, a request's size, its user's arm: each is led where the policy says."""
    policy = (
        "{when: [{if: {key.tags.tier: enterprise}, use: strong},"
        " {if: {input_tokens: {$gt: 500}}, use: {easy: {simple: cheap, default: strong}}}],"
        " else: {cheapest: [strong, cheap]}}"
    )
    with through(simulator, policy) as gateway:
        targets = [
            ask(gateway).headers["x-penstock-target"],
            ask(gateway, key="ent").headers["x-penstock-target"],
            ask(gateway, "x" * 6000).headers["x-penstock-target"],
        ]
    assert targets == ["cheap", "strong", "strong"]


def test_the_arm_of_a_comparison_is_in_the_record(simulator: SimulatorThread) -> None:
    """Each exchange's record has the arm that its user was given."""
    with through(simulator, "{ab: [{use: cheap, name: a}, {use: strong, name: b}]}") as gateway:
        seen = {
            user: ask(gateway, tags=f"user={user}").headers["x-penstock-target"]
            for user in ("ada", "bob", "eve")
        }
        records = {each.subject.user: each.notes["arm"] for each in gateway.exchanges()}
    assert records == {user: "a" if target == "cheap" else "b" for user, target in seen.items()}
