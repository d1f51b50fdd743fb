"""Detection: a working document without any file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from penstock.config.detect import detect
from penstock.config.document import Provider, Secret
from penstock.config.probe import probe_models
from penstock.config.vendors import DETECTED, LOCAL_SERVERS


def nothing(base_url: str, timeout_s: float) -> list[str] | None:
    """A machine without local servers."""
    _ = base_url, timeout_s
    return None


def test_an_empty_environment_has_the_simulator() -> None:
    """The first start works without any key."""
    document, notices = detect({}, nothing)
    assert document.providers == {"sim": Provider(kind="simulator")}
    assert notices == ["sim: the model simulator, such as sim/echo"]


def test_keys_become_references_in_order() -> None:
    """Each conventional variable is a provider; its value is never copied into the document."""
    env = {vendor.variable: "value" for vendor in DETECTED} | {"OPENAI_API_KEY": "value"}
    document, notices = detect(env, nothing)
    names = ["openai", *(vendor.kind for vendor in DETECTED), "sim"]
    assert list(document.providers) == list(document.defaults.provider_order) == names
    assert document.providers["openai"].url == "https://api.openai.com/v1"
    assert document.providers["groq"].api_key == Secret.template("${GROQ_API_KEY}")
    assert "groq: found GROQ_API_KEY" in notices
    assert "value" not in repr(document)


@pytest.mark.parametrize(
    ("env", "base_url", "keyed"),
    [
        ({"OPENAI_BASE_URL": "http://10.0.0.1:9/v1/"}, "http://10.0.0.1:9/v1", False),
        ({"OPENAI_BASE_URL": "https://h/v1", "OPENAI_API_KEY": "x"}, "https://h/v1", True),
        ({"OPENAI_BASE_URL": "http://localhost:4000/v1", "OPENAI_API_KEY": "x"}, None, True),
        (
            {"OPENAI_BASE_URL": "http://127.0.0.1:4001/v1", "OPENAI_API_KEY": "x"},
            "http://127.0.0.1:4001/v1",
            True,
        ),
    ],
)
def test_openai_base_url_is_honoured_unless_it_is_us(
    env: dict[str, str], base_url: str | None, keyed: bool
) -> None:
    """A shell that already points its SDKs at this gateway must not make it call itself."""
    document, _ = detect(env, nothing)
    provider = document.providers["openai"]
    assert (provider.base_url, provider.api_key is not None) == (base_url, keyed)


@pytest.mark.parametrize("base_url", ["not a url", "http://localhost:4000/v1"])
def test_an_unusable_base_url_is_told(base_url: str) -> None:
    """Without key or usable address there is no provider, and a notice says why."""
    document, notices = detect({"OPENAI_BASE_URL": base_url}, nothing)
    assert "openai" not in document.providers
    assert notices[0].startswith("openai: OPENAI_BASE_URL is ")


def test_local_servers_are_found_in_parallel() -> None:
    """Slow answers cost the time of one, in a fixed order; our own port is not asked."""
    asked: list[str] = []
    together = threading.Barrier(len(LOCAL_SERVERS) - 1, timeout=5)

    def probe(base_url: str, timeout_s: float) -> list[str] | None:
        assert timeout_s == 2.5
        asked.append(base_url)
        together.wait()
        return {"http://127.0.0.1:11434/v1": ["llama", "qwen"], "http://127.0.0.1:1234/v1": []}.get(base_url)

    document, notices = detect({}, probe, listen="127.0.0.1:8000", timeout_s=2.5)
    assert sorted(asked) == sorted(server.base_url for server in LOCAL_SERVERS if server.port != 8000)
    assert list(document.providers) == ["ollama", "lmstudio", "sim"]
    assert notices[0] == 'ollama: found at http://127.0.0.1:11434/v1 with "llama" and 1 more'
    assert notices[1] == "lmstudio: found at http://127.0.0.1:1234/v1 with no model loaded"


def test_a_probe_that_hangs_holds_nothing_up() -> None:
    """A server that never answers is left behind."""
    release = threading.Event()
    given_up: list[str] = []

    def probe(base_url: str, timeout_s: float) -> list[str] | None:
        del timeout_s
        if not release.wait(20):
            given_up.append(base_url)
        return ["m"]

    document, _ = detect({}, probe, timeout_s=0.01)
    # Every probe is still under way: none was waited for until it had given up by itself.
    assert given_up == []
    release.set()
    assert list(document.providers) == ["sim"]


ANSWERS: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "/good/models": (200, b'{"object":"list","data":[{"id":"m1","x":1},{"id":"m2"}]}', {}),
    "/empty/models": (200, b'{"object":"list","data":null}', {}),
    "/html/models": (200, b"<html>", {}),
    "/other/models": (200, b'{"models":[]}', {}),
    "/locked/models": (401, b'{"data":[]}', {}),
    "/self/models": (200, b'{"data":[]}', {"x-penstock-request-id": "1"}),
}


class Answers(BaseHTTPRequestHandler):
    """Answers from the table."""

    def do_GET(self) -> None:
        """Answer one request."""
        status, body, headers = ANSWERS[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """A real HTTP server on loopback."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.mark.parametrize(
    ("path", "models"),
    [
        ("good", ["m1", "m2"]),
        ("empty", []),
        ("html", None),
        ("other", None),
        ("locked", None),
        ("self", None),
    ],
)
def test_only_model_servers_count(server: str, path: str, models: list[str] | None) -> None:
    """Web pages, other JSON, refusals and other gateways are no model servers."""
    assert probe_models(f"{server}/{path}", 5) == models


def test_a_closed_port_is_no_server(server: str) -> None:
    """Refused connections are an answer too."""
    _ = server
    assert probe_models("http://127.0.0.1:1/v1", 1) is None
