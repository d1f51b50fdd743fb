"""Secrets planted in every place where one can stand, the world around them, and the search for them."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.alerts.receiver import SECRET as SIGNING_SECRET
from tests.credentials.google import TokenEndpoint
from tests.service.service import Service
from tests.translation.upstream import Answer, Asked
from tests.transport.certificates import Authority

MASTER = bytes(range(100, 132))
# Every place where a secret can stand, and what stands there; `+/"` make encodings differ from the plain text.
PLANTED = {
    name: f"{name}-Zq7+/x9\"'<&>-{number:04d}"
    for number, name in enumerate(
        (
            *("api_key", "header", "env_key", "file_key", "default_key", "vault_value", "vault_secret_id"),
            *("vault_role_id", "virtual_key", "other_key", "aws_secret", "aws_token", "aws_external", "entra"),
            *("webhook_token", "database", "redis", "wrong_key"),
        )
    )
}
CHAT = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10},
}
CONFIG = """
version: 1
server: {{tls: {{cert: "{cert}", key: "{key}"}}}}
providers:
  literal: {{kind: openai, base_url: "{url}/literal/v1", api_key: {api_key}, headers: {{x-own: {header}}}}}
  env: {{kind: openai, base_url: "{url}/env/v1", api_key: "${{ENV_KEY}}"}}
  file: {{kind: openai, base_url: "{url}/file/v1", api_key: "${{file:{folder}/file_key}}"}}
  default: {{kind: openai, base_url: "{url}/default/v1", api_key: {default_key}}}
  vault: {{kind: openai, base_url: "{url}/vault/v1", api_key: "${{vault:secret/data/openai#key}}"}}
  down: {{kind: openai, base_url: "http://127.0.0.1:9/v1", api_key: {api_key}}}
  aws:
    kind: bedrock
    region: eu-west-1
    base_url: "{url}/aws"
    aws: {{access_key_id: AKIAEXAMPLE, secret_access_key: {aws_secret}, session_token: {aws_token}}}
  google:
    kind: vertex
    base_url: "{url}/google/v1/projects/p/locations/l/publishers/google"
    google: {{credentials: {account}}}
  entra:
    kind: azure
    base_url: "{url}/entra"
    entra: {{tenant_id: t, client_id: c, client_secret: {entra}, authority: "{authority}"}}
deployments:
  priced: {{provider: literal, model: m, price: {{input: 10, output: 10}}}}
routes:
  literal: {{policy: literal/m, retry: {{attempts: 1}}}}
keys:
  - {{name: dev, secret: {virtual_key}, direct: true, budget: {{usd: 0.001, window: day, alerts: [0.05]}}}}
  - {{name: other, secret: "${{OTHER_KEY}}", direct: true, routes: [literal]}}
vault: {{address: "{vault}", role_id: {vault_role_id}, secret_id: {vault_secret_id}, refresh: 1s}}
alerts:
  webhooks:
    good: {{url: "{hook}?token={token}", secret: {signing}}}
    bad: {{url: "http://127.0.0.1:9/{token}", secret: {signing}}}
"""


class Echo:
    """An upstream that repeats all that it was sent, with the status that the model names."""

    def __call__(self, asked: Asked) -> Answer:
        body: dict[str, Any] = asked.body
        model = str(body.get("model", ""))
        status = int(model) if model.isdecimal() else 200
        if status == 200 and not asked.path.startswith(("/aws", "/google", "/entra")):
            return Answer(CHAT)
        told = {"message": f"not with {json.dumps(asked.headers)} {asked.raw.decode()}", "code": "x"}
        return Answer({"error": told, "message": told["message"]}, status if status != 200 else 403)


def repeated(_method: str, _path: str, body: str) -> tuple[int, str, str]:
    """Entra ID, as it refuses: it repeats what it was asked."""
    return 401, "application/json", json.dumps({"error": "invalid_client", "error_description": body})


def encodings(text: str) -> set[bytes]:
    """A text as it might be written; what is shorter than any planted text is nobody's secret."""
    raw = text.encode()
    found = {raw, quote(text).encode(), quote(text, safe="").encode(), json.dumps(text)[1:-1].encode()}
    for offset in range(3):
        data = bytes(offset) + raw
        for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
            # What neighbours could change is left out: the first and the last group of four characters.
            found.add(encoded[4 if offset else 0 :].rstrip(b"=")[:-2])
    return found


def found_in(data: bytes, secrets: Mapping[str, str]) -> list[str]:
    """The names of the secrets that stand in some bytes."""
    return [name for name, text in secrets.items() if any(each in data for each in encodings(text))]


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file with its bytes, and unpacked where it is compressed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            yield path.name, data
            if path.suffix == ".gz":
                yield f"{path.name} unpacked", gzip.decompress(data)


class World:
    """Everything around the service, and all that it said."""

    def __init__(
        self, folder: Path, url: str, vault: str, hook: str, authority: str, endpoint: TokenEndpoint
    ) -> None:
        self.folder = folder
        self.authority = Authority()
        certificate, key = self.authority.pair("localhost")
        (folder / "cert.pem").write_bytes(certificate)
        (folder / "key.pem").write_bytes(key)
        (folder / "file_key").write_text(PLANTED["file_key"])
        account = endpoint.account()
        self.secrets = dict(PLANTED)
        self.secrets["master"] = base64.b64encode(MASTER).decode()
        self.secrets["master hex"] = MASTER.hex()
        self.secrets["signing"] = SIGNING_SECRET.removeprefix("whsec_")
        self.secrets["tls key"] = key.decode().splitlines()[2]
        self.secrets["account"] = json.loads(account)["private_key"].splitlines()[5]
        self.env = {
            "ENV_KEY": PLANTED["env_key"],
            "OTHER_KEY": PLANTED["other_key"],
            "PENSTOCK_MASTER_KEY": self.secrets["master"],
            "PYTHONFAULTHANDLER": "1",
        }
        self.config = CONFIG.format(
            cert=folder / "cert.pem",
            key=folder / "key.pem",
            folder=folder,
            url=url,
            vault=vault,
            authority=authority,
            hook=hook,
            token=quote(PLANTED["webhook_token"], safe=""),
            signing=SIGNING_SECRET,
            account=json.dumps(account),
            **{name: json.dumps(text) for name, text in PLANTED.items()},
        )
        self.said: list[bytes] = []

    def ask(self, service: Service, path: str, key: str, body: object) -> int:
        """One request over TLS; the status. Everything of the answer is kept."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"https://localhost:{service.port}{path}",
            data,
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.authority.client()) as response:
                self.said.append(str(response.headers).encode() + response.read())
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                self.said.append(str(error.headers).encode() + error.read())
                return error.code


def chat(model: str) -> dict[str, Any]:
    """A chat request."""
    return {"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}
