"""Requests to clouds carry the credential of the moment, or fail with a sentence that helps."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from penstock.bootstrap.gateway import outside_sources
from penstock.core.credentials import AwsCredentials, BearerToken
from penstock.testing.gateway import GatewayThread
from tests.credentials.bedrock import MODEL, Bedrock
from tests.translation.upstream import Answer, CannedUpstream

KEYS = {"AKIDFIXED": ("the-fixed-secret", ""), "ASIATEMP": ("the-temporary-secret", "the-session-token")}
FIXED = "aws: {access_key_id: AKIDFIXED, secret_access_key: the-fixed-secret}"
TEMPORARY = (
    "aws: {access_key_id: ASIATEMP, secret_access_key: the-temporary-secret, session_token: the-session-token}"
)
OUTSIDE = "aws: {profile: team}"
CONFIG = """
version: 1
providers:
  bed: {{kind: bedrock, base_url: "{url}", region: eu-west-1, {access}}}
  other: {{kind: openai, base_url: "{url}/v1", api_key: other-key}}
routes:
  safe: {{policy: {{fallback: ["bed/{model}", other/m]}}, retry: {{attempts: 1}}}}
keys:
  - {{name: dev, secret: sk-test, direct: true, routes: [safe]}}
"""
HOUR_MS = 3_600_000
CHAT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}


def post(gateway: GatewayThread, path: str, body: Any) -> tuple[int, str]:
    """Status and text of one request."""
    headers = {"authorization": "Bearer sk-test", "content-type": "application/json"}
    request = urllib.request.Request(gateway.url + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def chat(gateway: GatewayThread, model: str = f"bed/{MODEL}", **more: Any) -> tuple[int, str]:
    """One OpenAI chat."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **more}
    return post(gateway, "/v1/chat/completions", body)


@contextmanager
def front(access: str, env: dict[str, str] | None = None) -> Generator[tuple[GatewayThread, CannedUpstream]]:
    """A gateway before a Bedrock that checks signatures."""
    bedrock = Bedrock(KEYS)
    with CannedUpstream(bedrock) as upstream:
        bedrock.url = upstream.url
        text = CONFIG.format(url=upstream.url, access=access, model=MODEL)
        with GatewayThread(text, env=env or {}) as gateway:
            yield gateway, upstream


def source(gateway: GatewayThread) -> str:
    """The one credential that this gateway waits for."""
    (name,) = gateway.call(lambda: outside_sources(gateway.context.plan))
    return name


def now_ms() -> int:
    """Wall time in milliseconds."""
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize("access", [FIXED, TEMPORARY])
def test_keys_of_the_configuration_sign_what_botocore_would(access: str) -> None:
    """Translated, native and streamed requests, and several legs of one, have botocore's own signature."""
    with front(access) as (gateway, upstream):
        assert chat(gateway)[0] == 200
        assert chat(gateway, n=2)[0] == 200
        converse = {"messages": [{"role": "user", "content": [{"text": "Grüße"}]}]}
        assert post(gateway, f"/model/bed%2F{MODEL.replace(':', '%3A')}/converse", converse)[0] == 200
        chat(gateway, stream=True)
        paths = [asked.path for asked in upstream.asked]
        assert len(paths) == 5
        assert paths[-1].endswith("v1%3A0/converse-stream")
        bedrock = upstream.answer
        assert isinstance(bedrock, Bedrock)
        assert all(bedrock.accepts(asked) for asked in upstream.asked)


def test_keys_of_the_environment_sign_without_any_configuration() -> None:
    """AWS_ACCESS_KEY_ID and its companions are enough, as for every tool of AWS."""
    env = {
        "AWS_ACCESS_KEY_ID": "ASIATEMP",
        "AWS_SECRET_ACCESS_KEY": "the-temporary-secret",
        "AWS_SESSION_TOKEN": "the-session-token",
    }
    with front("headers: {x-a: b}", env) as (gateway, _):
        assert chat(gateway)[0] == 200
        assert outside_sources(gateway.context.plan) == set()


def test_a_wrong_key_is_the_providers_refusal_and_tells_no_secret() -> None:
    """AWS repeats the signed headers in its refusal, session token included; the client does not see it."""
    wrong = "aws: {access_key_id: AKIDFIXED, secret_access_key: wrong-secret, session_token: leaky-token}"
    with front(wrong) as (gateway, _):
        status, text = chat(gateway)
        assert status == 502
        assert "upstream_auth" in text
        assert "[redacted]" in text
        assert "leaky-token" not in text + repr(gateway.events())


def test_a_token_that_was_handed_out_is_removed_from_what_an_upstream_says() -> None:
    """The same holds for credentials that came from the credentials process, and for those before them."""
    with front(OUTSIDE) as (gateway, _):
        name = source(gateway)
        sink = gateway.context.credentials
        for token in ("first-token", "second-token"):
            keys = AwsCredentials("ASIATEMP", "not-it", token, now_ms() + HOUR_MS)
            gateway.call(lambda keys=keys: sink.offer(name, keys))
        status, text = chat(gateway)
        assert status == 502
        assert "second-token" not in text
        assert sink.secrets_of(gateway.context.plan.providers["bed"].template.signing) == (
            "not-it",
            "second-token",
            "not-it",
            "first-token",
        )


def test_without_a_credential_an_attempt_fails_and_a_fallback_answers() -> None:
    """Nothing is sent, the sentence says what to do, and the next target of the route is tried."""
    with front(OUTSIDE) as (gateway, upstream):
        name = source(gateway)
        status, text = chat(gateway)
        assert (status, upstream.asked) == (503, [])
        assert "no_credential" in text
        assert "have not arrived from the credentials process yet" in text
        trouble = "botocore is not installed; pip install 'penstock[aws]'"
        gateway.call(lambda: gateway.context.credentials.trouble(name, trouble))
        assert trouble in json.loads(chat(gateway)[1])["error"]["message"]
        upstream.answer = Answer(CHAT)
        assert chat(gateway, "safe")[0] == 200
        assert [asked.path for asked in upstream.asked] == ["/v1/chat/completions"]
        (settled,) = [each for each in gateway.exchanges(3) if each.outcome == "ok"]
        assert [each.cause for each in settled.attempts] == ["no_credential", ""]
        assert settled.attempts[0].cost_nanousd in (0, None)


def test_a_credential_serves_until_it_expires_whatever_happens_to_its_source() -> None:
    """Trouble leaves the last good one in use; an expired one is not sent, and a new one is used at once."""
    with front(OUTSIDE) as (gateway, upstream):
        name, sink = source(gateway), gateway.context.credentials
        good = AwsCredentials("ASIATEMP", *KEYS["ASIATEMP"], expires_ms=now_ms() + HOUR_MS)
        gateway.call(lambda: sink.offer(name, good))
        gateway.call(lambda: sink.trouble(name, "fetching it failed (ConnectionError)"))
        assert chat(gateway)[0] == 200
        old = AwsCredentials("ASIATEMP", *KEYS["ASIATEMP"], expires_ms=now_ms() - 1)
        gateway.call(lambda: sink.offer(name, old))
        status, text = chat(gateway)
        assert (status, len(upstream.asked)) == (503, 1)
        assert "expired and could not be renewed" in text
        gateway.call(lambda: sink.offer(name, good))
        assert chat(gateway)[0] == 200


def test_a_reload_keeps_what_the_new_plan_needs() -> None:
    """The same access under a new revision goes on with its credential; another access waits for its own."""
    with front(OUTSIDE) as (gateway, upstream):
        name, sink = source(gateway), gateway.context.credentials
        good = AwsCredentials("ASIATEMP", *KEYS["ASIATEMP"], expires_ms=now_ms() + HOUR_MS)
        gateway.call(lambda: sink.offer(name, good))
        gateway.reload(CONFIG.format(url=upstream.url, access=OUTSIDE, model="other"))
        assert chat(gateway)[0] == 200
        gateway.reload(CONFIG.format(url=upstream.url, access="aws: {profile: else}", model="other"))
        assert chat(gateway)[0] == 503


def test_a_google_token_travels_as_a_bearer() -> None:
    """Vertex gets the token of the moment, and the next request the next one."""
    config = """
version: 1
providers: {{vertex: {{kind: vertex, base_url: "{url}/v1/projects/p/locations/l/publishers/google"}}}}
keys: [{{name: dev, secret: sk-test, direct: true}}]
"""
    reply = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}
    with CannedUpstream(Answer(reply)) as upstream, GatewayThread(config.format(url=upstream.url)) as gateway:
        name = source(gateway)
        for token in ("token-1", "token-2"):
            offered = BearerToken(token, now_ms() + HOUR_MS)
            gateway.call(lambda offered=offered: gateway.context.credentials.offer(name, offered))
            assert chat(gateway, "vertex/gemini-2.5-flash")[0] == 200
            assert upstream.asked[-1].headers["authorization"] == f"Bearer {token}"


def test_a_clients_aws_signature_is_answered_with_the_way_that_works() -> None:
    """boto3 signs where it has no bearer token or no TLS; the error names the variable and the scheme."""
    with front(FIXED) as (gateway, _):
        credential = "AKIDEXAMPLE/20260101/eu-west-1/bedrock/aws4_request"
        header = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"
        request = urllib.request.Request(
            f"{gateway.url}/model/bed%2Fm/converse", b"{}", {"authorization": header}
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=20)
        with caught.value as error:
            text = error.read().decode()
        assert error.code == 403
        assert "AWS_BEARER_TOKEN_BEDROCK" in text
        assert "https" in text
