"""The service over TLS."""

from __future__ import annotations

import json
from pathlib import Path

from penstock.testing.simulator import SimulatorThread
from tests.service.service import Service
from tests.transport.certificates import Authority

CONFIG = """
version: 1
server: {{tls: {{cert: "{cert}", key: "{key}"}}}}
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
routes:
  chat: {{policy: up/echo}}
keys:
  - {{name: dev, secret: sk-service}}
"""


def test_server_tls_serves_https(tmp_path: Path) -> None:
    """With `server.tls` a client that trusts the certificate is answered over TLS."""
    authority = Authority()
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for path, content in zip((cert, key), authority.pair("localhost"), strict=True):
        path.write_bytes(content)
    with (
        SimulatorThread() as simulator,
        Service(
            tmp_path, CONFIG.format(cert=cert, key=key, url=simulator.url), trust=authority.client()
        ) as service,
    ):
        connection = service.connect()
        body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hello"}]})
        headers = {"Authorization": "Bearer sk-service", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", body, headers)
        response = connection.getresponse()
        assert response.status == 200
        assert json.load(response)["choices"][0]["message"]["content"] == "Hello"
        connection.close()
