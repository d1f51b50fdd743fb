"""Posting to real servers: signatures, TLS, redirects, and everything that goes wrong."""

from __future__ import annotations

import base64
import socket
import threading
from pathlib import Path

import pytest

from penstock.adapters.alerts.webhook import WebhookPoster, payload, signature_headers
from penstock.compile.alerts import webhooks_of
from penstock.compile.targets import CompileError
from penstock.config.load import load_text
from penstock.core.alerts import Alert, Webhook
from penstock.ports.alerts import Posted
from tests.alerts.receiver import KEY, SECRET, Receiver, verified
from tests.transport.certificates import Authority

ALERT = Alert("budget.share", "warning", 1_790_000_000_000, "key dev", 0.8, 0.8, "f", "so it is", org="acme")
NOW = 1_790_000_123_456


def post(webhook: Webhook, *, timeout_s: float = 15.0) -> Posted:
    """Post the alert."""
    return WebhookPoster(lambda: NOW, timeout_s=timeout_s)(webhook, "id-1", ALERT)


def test_the_signature_is_the_standards_own() -> None:
    """The values are those that the specification's reference libraries test themselves with."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    message, at_s = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    headers = signature_headers((key,), message, at_s, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": message,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_an_alert_arrives_signed_by_both_keys() -> None:
    """The receiver finds a signature that it can check while it changes over; the body has what the log has."""
    with Receiver() as receiver:
        hook = Webhook("w", receiver.url + "?token=t", (bytes(24), KEY))
        assert post(hook) == ("", False, 0.0)
        headers, body = receiver.got[0]
    assert receiver.paths == ["/hook?token=t"]
    assert headers["webhook-timestamp"] == str(NOW // 1000)
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert verified(headers, payload("id-1", ALERT), bytes(24))
    assert (body["type"], body["timestamp"]) == ("budget.share", "2026-09-21T14:13:20.000Z")
    assert (body["data"]["id"], body["data"]["message"]) == ("id-1", "so it is")


@pytest.mark.parametrize(
    ("status", "headers", "said", "final", "pause_s"),
    [
        (500, {}, "it answered 500", False, 0.0),
        (503, {"retry-after": "77"}, "it answered 503", False, 77.0),
        (429, {"retry-after": "999999"}, "it answered 429", False, 3600.0),
        (429, {"retry-after": "soon"}, "it answered 429", False, 0.0),
        (410, {}, "remove the webhook", True, 0.0),
        (302, {"location": "http://127.0.0.1:9/"}, "a redirect, and none is followed", False, 0.0),
        (307, {"location": "http://169.254.169.254/"}, "a redirect, and none is followed", False, 0.0),
    ],
)
def test_what_is_no_success_is_said(
    status: int, headers: dict[str, str], said: str, pause_s: float, *, final: bool
) -> None:
    """Each status says what to do with it; one request is made, wherever it points."""
    with Receiver() as receiver:
        receiver.status, receiver.headers = status, headers
        error, ended, pause = post(Webhook("w", receiver.url, (KEY,)))
    assert said in error
    assert (ended, pause, len(receiver.got)) == (final, pause_s, 1)


def test_tls_is_checked(tmp_path: Path) -> None:
    """A certificate of a believed authority is taken; others, for other names or too old, are not."""
    authority = Authority()
    ca_file = authority.file(tmp_path)
    with Receiver(tls=authority.server("localhost")) as receiver:
        assert post(Webhook("w", receiver.url, (KEY,), ca_file=ca_file))[0] == ""
        assert "its certificate is not believed" in post(Webhook("w", receiver.url, (KEY,)))[0]
        other = receiver.url.replace("localhost", "127.0.0.1")
        assert "its certificate is not believed" in post(Webhook("w", other, (KEY,), ca_file=ca_file))[0]
    with Receiver(tls=authority.server("localhost", expired=True)) as receiver:
        assert "expired" in post(Webhook("w", receiver.url, (KEY,), ca_file=ca_file))[0]
    assert receiver.got == []


def test_who_does_not_answer_is_left_in_time() -> None:
    """Nobody there, silence, a hang-up and nonsense are sentences without the address."""
    for answer in (None, b"", b"nonsense\r\n\r\n"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            hook = Webhook("w", f"http://127.0.0.1:{listener.getsockname()[1]}/token-in-path", (KEY,))
            if answer is None:
                assert post(hook, timeout_s=0.2)[0] == "it did not answer in time"
                continue
            threading.Thread(target=_serve_once, args=(listener, answer), daemon=True).start()
            error = post(hook)[0]
            assert error
            assert "token-in-path" not in error
    assert post(hook)[0] == "Connection refused"


def _serve_once(listener: socket.socket, answer: bytes) -> None:
    peer, _ = listener.accept()
    with peer:
        peer.recv(65_536)
        peer.sendall(answer)


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254"])
def test_a_name_that_leads_to_metadata_is_refused(address: str) -> None:
    """Not the name counts but where it leads when connecting; nothing is sent, and not tried again."""
    poster = WebhookPoster(lambda: NOW, lambda _host, _port: ["127.0.0.1", address])
    posted = poster(Webhook("w", "http://hooks.example:80/", (KEY,)), "id-1", ALERT)
    assert posted.final
    assert "a cloud's metadata, which alerts are never posted to" in posted.error


def test_a_proxy_is_used_where_the_environment_names_one() -> None:
    """The request goes through it by CONNECT, and the receiver gets it whole."""
    with Receiver() as receiver, socket.create_server(("127.0.0.1", 0)) as proxy:
        seen: list[bytes] = []
        threading.Thread(target=_relay, args=(proxy, receiver.port, seen), daemon=True).start()
        hook = Webhook(
            "w", "http://hooks.example/x", (KEY,), proxy=f"http://me:pw@127.0.0.1:{proxy.getsockname()[1]}"
        )
        assert post(hook)[0] == ""
    assert seen[0].startswith(b"CONNECT hooks.example:80 ")
    assert b"Basic " + base64.b64encode(b"me:pw") in seen[0]
    assert receiver.paths == ["/x"]


def _relay(listener: socket.socket, port: int, seen: list[bytes]) -> None:
    peer, _ = listener.accept()
    with peer, socket.create_connection(("127.0.0.1", port)) as target:
        seen.append(peer.recv(65_536))
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=_pump, args=(peer, target), daemon=True).start()
        _pump(target, peer)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    while data := source.recv(65_536):
        sink.sendall(data)


CONFIG = "alerts: {{webhooks: {{w: {{url: '{url}', secret: '{secret}'}}}}}}"


@pytest.mark.parametrize(
    ("url", "secret", "said"),
    [
        ("ftp://h/", SECRET, "alerts.webhooks.w.url: not a URL"),
        ("http://u:p@h/", SECRET, "without a user name"),
        ("http://169.254.169.254/latest", SECRET, "a cloud's metadata"),
        ("http://metadata.google.internal/", SECRET, "a cloud's metadata"),
        ("http://h/", "plain-text-secret", "alerts.webhooks.w.secret: write whsec_"),
        ("http://h/", "whsec_c2hvcnQ=", "24 to 64 random bytes"),
        ("${vault:s/data/p#f}", SECRET, "has not been fetched"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused_when_it_is_configured(url: str, secret: str, said: str) -> None:
    """The message names the key, and not what stands there."""
    document = load_text(CONFIG.format(url=url, secret=secret), {})
    with pytest.raises(CompileError) as caught:
        webhooks_of(document, {})
    assert said in str(caught.value)
    assert "plain-text" not in str(caught.value)
