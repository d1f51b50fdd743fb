"""The credentials process as part of `penstock serve`: killed, absent, reloaded, and silent about secrets."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.credentials.bedrock import MODEL as SIGNED_MODEL
from tests.credentials.bedrock import Bedrock
from tests.credentials.google import TokenEndpoint
from tests.service.service import Service, until
from tests.service.test_serve import ask
from tests.translation.upstream import Answer, Asked, CannedUpstream

CONFIG = """
version: 1
providers:
  vertex:
    kind: vertex
    base_url: "{url}/v1/projects/p/locations/l/publishers/google"
    google: {{credentials: "${{file:{account}}}"}}
  {more}
  open: {{kind: openai, base_url: "{url}/v1"}}
keys:
  - {{name: dev, secret: sk-service, direct: true}}
"""
INLINE = """second:
    kind: vertex
    base_url: "{url}/v2/projects/p/locations/l/publishers/google"
    google: {{credentials: {account}}}
"""
MODEL = "vertex/gemini-2.5-flash"
GEMINI = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}
CHAT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}


class Cloud:
    """A Vertex that takes the tokens of its endpoint, and an open server beside it."""

    def __init__(self, endpoint: TokenEndpoint) -> None:
        self.endpoint = endpoint
        self.seen: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        """Answer whoever has a token."""
        if asked.path.startswith("/v1/chat"):
            return Answer(CHAT)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        self.seen.append(token)
        good = token in self.endpoint.given
        return Answer(GEMINI) if good else Answer({"error": {"code": 401, "message": "no"}}, 401)


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    """Google's token endpoint."""
    with TokenEndpoint() as running:
        yield running


@pytest.fixture
def cloud(endpoint: TokenEndpoint) -> Iterator[tuple[Cloud, str]]:
    """A cloud and its address."""
    made = Cloud(endpoint)
    with CannedUpstream(made) as upstream:
        yield made, upstream.url


def written(folder: Path, url: str, account: str, more: str = "") -> str:
    """A configuration whose account stands in a file."""
    file = folder / "account.json"
    file.write_text(account)
    file.chmod(0o600)
    return CONFIG.format(url=url, account=file, more=more)


def running(service: Service) -> list[int]:
    """The pids of the credentials process, at most one."""
    children = Path(f"/proc/{service.supervisor}/task/{service.supervisor}/children").read_text().split()
    found: list[int] = []
    for child in children:
        try:
            if b"bootstrap.credentials" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
        except OSError:
            continue
    return found


def test_the_first_request_has_its_token(
    tmp_path: Path, endpoint: TokenEndpoint, cloud: tuple[Cloud, str]
) -> None:
    """A gateway that is ready has what the credentials process could fetch; the socket is ours alone."""
    with Service(tmp_path, written(tmp_path, cloud[1], endpoint.account())) as service:
        assert ask(service.port, MODEL)[0] == 200
        assert cloud[0].seen == endpoint.given
        found = (service.state / "run" / "credentials.sock").stat()
        assert stat.S_IMODE(found.st_mode) == 0o600


def test_requests_go_on_without_the_credentials_process(
    tmp_path: Path, endpoint: TokenEndpoint, cloud: tuple[Cloud, str]
) -> None:
    """Stopped or killed, it is not missed while its token lasts; new gateways and processes find their way."""
    with Service(tmp_path, written(tmp_path, cloud[1], endpoint.account())) as service:
        assert ask(service.port, MODEL)[0] == 200
        stopped = service.pid("credentials")
        os.kill(stopped, signal.SIGSTOP)
        assert [ask(service.port, MODEL)[0] for _ in range(5)] == [200] * 5
        os.kill(stopped, signal.SIGKILL)
        until(lambda: running(service) not in ([], [stopped]))
        assert ask(service.port, MODEL)[0] == 200
        until(lambda: len(endpoint.given) == 2)
        until(lambda: ask(service.port, MODEL)[0] == 200 and cloud[0].seen[-1] == endpoint.given[1])
        service.kill("gateway")
        service.wait_ready()
        assert ask(service.port, MODEL)[0] == 200
        assert len(endpoint.given) == 2


def test_tokens_are_replaced_before_they_end(
    tmp_path: Path, endpoint: TokenEndpoint, cloud: tuple[Cloud, str]
) -> None:
    """With tokens of a few seconds every request has a good one, and several of them are used."""
    endpoint.lasts_s = 6
    with Service(tmp_path, written(tmp_path, cloud[1], endpoint.account())) as service:
        until(lambda: ask(service.port, MODEL)[0] == 200 and len(set(cloud[0].seen)) >= 3)
        assert {row["status"] for row in service.logs()} == {200}


def test_a_wrong_key_is_told_and_a_mended_one_found(
    tmp_path: Path, endpoint: TokenEndpoint, cloud: tuple[Cloud, str]
) -> None:
    """Only the provider that needs it fails; once the file is right, the next try has a token."""
    config = written(tmp_path, cloud[1], endpoint.account(wrong=True))
    with Service(tmp_path, config) as service:
        status, body, _ = ask(service.port, MODEL)
        assert (status, body["error"]["code"]) == (503, "no_credential")
        assert "docs" in body["error"]["message"] or "log" in body["error"]["message"]
        assert ask(service.port, "open/m")[0] == 200
        assert "invalid_grant" in service.output.read_text()
        (tmp_path / "account.json").write_text(endpoint.account())
        service.signal(signal.SIGHUP)
        until(lambda: ask(service.port, MODEL)[0] == 200)


def test_a_reload_brings_the_process_and_takes_it(
    tmp_path: Path, endpoint: TokenEndpoint, cloud: tuple[Cloud, str]
) -> None:
    """It runs only while a provider needs it, and fetches for one that a reload brings."""
    config = written(tmp_path, cloud[1], endpoint.account())
    plain = config.replace('google: {credentials: "${file:', 'api_key: k # "')
    with Service(tmp_path, plain) as service:
        assert running(service) == []
        assert endpoint.given == []
        service.config.write_text(config)
        until(lambda: ask(service.port, MODEL)[0] == 200)
        inline = INLINE.format(url=cloud[1], account=json.dumps(json.dumps(json.loads(endpoint.account()))))
        service.config.write_text(written(tmp_path, cloud[1], endpoint.account(), inline))
        until(lambda: ask(service.port, "second/gemini-2.5-flash")[0] == 200)
        service.config.write_text(plain)
        until(lambda: running(service) == [])


def test_secrets_are_in_no_file_and_no_line(
    tmp_path: Path, endpoint: TokenEndpoint, cloud: tuple[Cloud, str]
) -> None:
    """Neither the account's key nor any token: snapshot, journal, ledger, sockets' folder, output."""
    inline = INLINE.format(url=cloud[1], account=json.dumps(json.dumps(json.loads(endpoint.account()))))
    with Service(tmp_path, written(tmp_path, cloud[1], endpoint.account(), inline)) as service:
        assert ask(service.port, MODEL)[0] == 200
        until(lambda: ask(service.port, "second/gemini-2.5-flash")[0] == 200)
        assert len(service.logs()) >= 2
    key_line = json.loads(endpoint.account())["private_key"].splitlines()[5]
    hidden = [key_line.encode(), *[token.encode() for token in endpoint.given]]
    files = [path for path in service.state.rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in (*files, service.output):
        data = path.read_bytes()
        assert [secret for secret in hidden if secret in data] == [], path


def test_a_profile_of_aws_signs_what_the_gateway_sends(tmp_path: Path) -> None:
    """From `credential_process` through botocore and the socket to a signature that botocore agrees with."""
    keys = {"Version": 1, "AccessKeyId": "ASIATEMP", "SecretAccessKey": "temporary-secret"}
    more = {"SessionToken": "its-token", "Expiration": "2099-01-02T03:04:05Z"}
    (tmp_path / "keys.json").write_text(json.dumps(keys | more))
    (tmp_path / "aws").write_text(f"[profile team]\ncredential_process = cat {tmp_path}/keys.json\n")
    env = {"AWS_CONFIG_FILE": str(tmp_path / "aws"), "AWS_EC2_METADATA_DISABLED": "true"}
    bedrock = Bedrock({"ASIATEMP": ("temporary-secret", "its-token")})
    with CannedUpstream(bedrock) as upstream:
        bedrock.url = upstream.url
        provider = f'{{kind: bedrock, base_url: "{upstream.url}", region: eu-west-1, aws: {{profile: team}}}}'
        config = f"version: 1\nproviders: {{bed: {provider}}}\n"
        config += "keys: [{name: dev, secret: sk-service, direct: true}]\n"
        with Service(tmp_path, config, env) as service:
            assert ask(service.port, f"bed/{SIGNED_MODEL}")[0] == 200
            assert "temporary-secret" not in service.output.read_text()
