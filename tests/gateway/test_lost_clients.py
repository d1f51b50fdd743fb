"""What somebody reads who has set up a client not quite right."""

from __future__ import annotations

import ast
import socket
from pathlib import Path

import pytest

import penstock
from penstock.core.errors import CODES
from penstock.testing.gateway import GatewayThread
from tests.clients.plain import send
from tests.gateway.asking import KEY, ask

# Exceptions that carry a code, and which argument it is.
CODED = {"Refusal": 0, "FieldsError": 0, "HeadError": 1}
SOURCE = Path(penstock.__file__).parent


def test_every_code_that_is_raised_is_in_the_table() -> None:
    """A code without its row would end a connection with a defect of ours instead of an answer."""
    raised: dict[str, str] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODED:
                code = node.args[CODED[node.func.id]]
                if isinstance(code, ast.Constant):
                    raised[str(code.value)] = f"{path.relative_to(SOURCE)}:{node.lineno}"
    assert len(raised) > 20
    assert {code: place for code, place in raised.items() if code not in CODES} == {}


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/chat/completions", "/v1/chat/completions"),
        ("/completions", "/v1/completions"),
        ("/v1/v1/embeddings", "/v1/embeddings"),
        ("/v1/chat/completions/chat/completions", "/v1/chat/completions"),
        ("/models", "/v1/models"),
    ],
)
def test_a_base_url_that_is_not_quite_right(gateway: GatewayThread, path: str, meant: str) -> None:
    """The error says how the base URL must end, instead of listing all that is served."""
    told = send(gateway.url + path, {"model": "sim/echo"}, KEY)
    assert (told.status, told.json["error"]["code"]) == (404, "unknown_path")
    assert f"for {meant} let the client's base URL end in /v1" in told.json["error"]["message"]


def test_a_path_that_resembles_nothing(gateway: GatewayThread) -> None:
    """It gets the list of all that there is, models included."""
    message = send(gateway.url + "/v1/threads", {}, KEY).json["error"]["message"]
    assert "/v1/audio/speech" in message
    assert "/v1/models" in message


def test_an_empty_model_is_no_model(gateway: GatewayThread) -> None:
    """An unset variable in a client does not become somebody's default model."""
    told = ask(gateway.url, "")
    assert (told.status, told.code, told.body["error"]["param"]) == (400, "missing_model", "model")


def test_tls_to_a_plain_port_is_refused(gateway: GatewayThread) -> None:
    """What does not begin as HTTP gets an answer with its code, and the gateway has no defect."""
    hello = bytes.fromhex("16030100f1010000ed0303") + bytes(64)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as client:
        client.sendall(hello)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"bad_method"' in answer
