"""What a key is good for, at the gate: each bound refuses with its own code, and only what it bounds."""

from __future__ import annotations

import hashlib

import pytest

from penstock.admission.scopes import bound_output, key_for
from penstock.compile.key_bounds import bounds_of
from penstock.config import document as doc
from penstock.config.load import ConfigError, load_text
from penstock.core.errors import CODES, Refusal
from penstock.core.exchange import Subject
from penstock.core.plan import Plan, VirtualKey
from penstock.core.price_book import PriceBook
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.ports.http_server import HttpRequest

SECRET = b"sk-scoped"


def plan_with(text: str) -> Plan:
    """A plan with one key that has these bounds, as the file says them."""
    document = load_text(f"version: 1\nkeys: [{{name: k, secret: sk-scoped, direct: true, {text}}}]\n", {})
    [config] = document.keys
    digest = hashlib.sha256(SECRET).digest()
    key = VirtualKey("k", digest, Subject("acme"), direct=True, bounds=bounds_of(config))
    return Plan("r", {}, {}, {}, (), {digest: key}, True, PriceBook("none", {}))  # noqa: FBT003


def code_of(
    text: str, *, peer: str = "10.1.2.3", now_ms: int = 1_000, endpoint: str = "chat", dialect: str = "openai"
) -> str:
    """The code with which a request is refused, empty where it is let in."""
    http = HttpRequest(b"POST", "/", b"", {b"authorization": b"Bearer " + SECRET}, b"", 0.0, peer)
    try:
        key_for(plan_with(text), http, now_ms, endpoint, dialect)
    except Refusal as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize(
    ("text", "asked", "code"),
    [
        ("tags: {}", {}, ""),
        ("endpoints: [chat]", {}, ""),
        ("endpoints: [embeddings]", {}, "endpoint_not_allowed"),
        ("endpoints: [audio]", {"endpoint": "audio.speech"}, ""),
        ("endpoints: [audio.speech]", {"endpoint": "audio.transcriptions"}, "endpoint_not_allowed"),
        ("endpoints: []", {}, "endpoint_not_allowed"),
        ("endpoints: [chat]", {"endpoint": ""}, ""),
        ("dialects: [openai, gemini]", {}, ""),
        ("dialects: [anthropic]", {}, "dialect_not_allowed"),
        ("networks: [10.0.0.0/8]", {}, ""),
        ("networks: [10.0.0.0/8]", {"peer": "11.0.0.1"}, "network_not_allowed"),
        ("networks: [10.0.0.0/8]", {"peer": "::ffff:10.0.0.1"}, ""),
        ("networks: [10.0.0.0/8]", {"peer": "::ffff:11.0.0.1"}, "network_not_allowed"),
        ("networks: ['2001:db8::/32']", {"peer": "2001:db8::1"}, ""),
        ("networks: ['2001:db8::/32']", {"peer": "2001:db9::1"}, "network_not_allowed"),
        ("networks: [0.0.0.0/0]", {"peer": "2001:db8::1"}, "network_not_allowed"),
        ("networks: [192.0.2.7, 10.0.0.0/8]", {"peer": "192.0.2.7"}, ""),
        ("networks: [10.0.0.0/8]", {"peer": ""}, "network_not_allowed"),
        ("expires_at: 1970-01-01T00:00:02Z", {"now_ms": 1_999}, ""),
        ("expires_at: 1970-01-01T00:00:02Z", {"now_ms": 2_000}, "key_expired"),
        ("expires_at: '1970-01-01T01:00:02+01:00'", {"now_ms": 2_000}, "key_expired"),
        ("expires_at: 1970-01-01, endpoints: []", {}, "key_expired"),
    ],
)
def test_each_bound_refuses_what_it_bounds(text: str, asked: dict[str, object], code: str) -> None:
    """In the order: until when, from where, for what."""
    assert code_of(text, **asked) == code  # type: ignore[arg-type]
    assert not code or CODES[code][0] == (401 if code == "key_expired" else 403)


@pytest.mark.parametrize(
    ("body", "cap"),
    [
        (b'{"model":"m","messages":[]}', 100),
        (b'{"model":"m","messages":[],"max_tokens":50}', 50),
        (b'{"model":"m","messages":[],"max_tokens":100}', 100),
        (b'{"model":"m","messages":[],"max_tokens":101}', None),
        (b'{"model":"m","messages":[],"max_completion_tokens":101}', None),
        (b'{"model":"m","messages":[],"n":4}', 25),
        (b'{"model":"m","messages":[],"n":4,"max_tokens":30}', None),
        (b'{"model":"m","messages":[],"n":101}', None),
    ],
)
def test_output_is_bounded_per_request(body: bytes, cap: int | None) -> None:
    """All answers together keep within the bound; who asks for more is told, who asks for nothing gets it."""
    [key] = plan_with("max_tokens: 100").keys.values()
    request = decode(ENDPOINTS["/v1/chat/completions"], body, b"application/json")
    if cap is None:
        with pytest.raises(Refusal) as refused:
            bound_output(key, request)
        assert (refused.value.code, refused.value.status) == ("max_tokens_not_allowed", 403)
        return
    bound_output(key, request)
    assert (request.cap, request.bound) == (cap, True)


def test_requests_without_output_tokens_are_not_bounded_by_them() -> None:
    """An embedding has none."""
    [key] = plan_with("max_tokens: 1").keys.values()
    request = decode(ENDPOINTS["/v1/embeddings"], b'{"model":"m","input":"x"}', b"application/json")
    bound_output(key, request)
    assert not request.bound


def test_a_key_can_be_configured_by_its_hash() -> None:
    """`${sha256:…}` says as much as a gateway needs; a malformed one is refused."""
    digest = hashlib.sha256(SECRET).hexdigest()
    document = load_text(f'keys: [{{name: k, secret: "${{sha256:{digest}}}", direct: true}}]', {})
    assert document.keys[0].secret == doc.Secret.hashed(digest)
    with pytest.raises(ConfigError, match="malformed"):
        load_text(f'keys: [{{name: k, secret: "${{sha256:{digest[:-1]}}}", direct: true}}]', {})
