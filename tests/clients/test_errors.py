"""Every failure is the exception that users of the `openai` package catch, with code and request id."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from penstock.testing.gateway import GatewayThread
from tests.clients.plain import send

KEY = "sk-test-gateway"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
URL = "/v1/chat/completions"
Connect = Callable[..., OpenAI]


def told(error: openai.APIError) -> dict[str, object]:
    """The error object that the answer held."""
    return cast("dict[str, object]", error.body)


# What the provider answers, what the SDK raises, and the gateway's code (empty: the provider's own words pass).
UPSTREAM: list[tuple[int, type[openai.APIStatusError], int, str]] = [
    (400, openai.BadRequestError, 400, ""),
    (401, openai.InternalServerError, 502, "upstream_auth"),
    (402, openai.InternalServerError, 502, "upstream_auth"),
    (403, openai.InternalServerError, 502, "upstream_auth"),
    (404, openai.NotFoundError, 404, ""),
    (408, openai.InternalServerError, 504, "upstream_timeout"),
    (409, openai.ConflictError, 409, ""),
    (422, openai.UnprocessableEntityError, 422, ""),
    (429, openai.RateLimitError, 429, "upstream_rate_limited"),
    (500, openai.InternalServerError, 502, "upstream_error"),
    (503, openai.InternalServerError, 503, "upstream_overloaded"),
    (529, openai.InternalServerError, 503, "upstream_overloaded"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("given", "kind", "status", "code"), UPSTREAM)
def test_a_providers_error(
    client: OpenAI, given: int, kind: type[openai.APIStatusError], status: int, code: str, *, stream: bool
) -> None:
    """A refused credential of ours is never told as the client's; a request's own fault passes as it is."""
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(model=f"sim/error-{given}+retry-after-0s", messages=HELLO, stream=stream)
    error = raised.value
    assert type(error) is kind
    assert error.status_code == status
    assert error.request_id
    assert error.response.headers["x-penstock-request-id"].startswith("req_")
    if code:
        assert error.code == code
        assert told(error)["request_id"] == error.response.headers["x-penstock-request-id"]
        assert f"sim/error-{given}" in error.message
    if status in {429, 503}:
        assert int(error.response.headers["retry-after"]) >= 1


def test_a_missing_and_a_wrong_key(gateway: GatewayThread, connect: Connect) -> None:
    """Both are the client's to mend, and say how."""
    with pytest.raises(openai.AuthenticationError) as raised:
        connect(gateway.url, "sk-wrong").models.list()
    assert raised.value.code == "invalid_key"
    assert raised.value.request_id
    answer = send(gateway.url + "/v1/models", b"", "", method="GET")
    assert (answer.status, answer.json["error"]["code"]) == (401, "missing_key")


def test_a_key_without_direct_use(gateway: GatewayThread, connect: Connect) -> None:
    """A key of one route cannot name a provider's model."""
    sdk = connect(gateway.url, "sk-test-narrow")
    assert sdk.chat.completions.create(model="chat", messages=HELLO).choices
    with pytest.raises(openai.PermissionDeniedError) as raised:
        sdk.chat.completions.create(model="sim/echo", messages=HELLO)
    assert raised.value.code == "direct_not_allowed"


def test_an_unknown_model_names_the_nearest(client: OpenAI) -> None:
    """A misspelt route is found again by its neighbours."""
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="chatt", messages=HELLO)
    assert raised.value.code == "unknown_model"
    assert "the nearest names are: chat" in raised.value.message


def test_a_spent_budget_is_not_tried_again(gateway: GatewayThread, connect: Connect) -> None:
    """The SDK obeys `x-should-retry: false`: one call, one refusal."""
    sdk = connect(gateway.url, "sk-test-poor", 5)
    with pytest.raises(openai.APIStatusError) as raised:
        sdk.chat.completions.create(model="sim/tokens-2000", messages=HELLO)
    assert (raised.value.status_code, raised.value.code) == (402, "budget_exceeded")
    assert raised.value.response.headers["x-should-retry"] == "false"


def test_a_used_up_rate_says_when(gateway: GatewayThread, connect: Connect) -> None:
    """The second request of a key with one a minute gets 429 with the seconds to wait."""
    sdk = connect(gateway.url, "sk-test-slow")
    sdk.chat.completions.create(model="sim/tiny", messages=HELLO)
    with pytest.raises(openai.RateLimitError) as raised:
        sdk.chat.completions.create(model="sim/tiny", messages=HELLO)
    assert raised.value.code == "rate_limited"
    assert 1 <= int(raised.value.response.headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b"[]", "not_an_object"),
        (b'{"messages":[]}', "missing_model"),
        (b'{"model":"sim/echo","model":"sim/tiny"}', "duplicate_key"),
        (b'{"model":"sim/echo","Model":"sim/tiny"}', "case_variant_key"),
        (b'{"model":7}', "invalid_type"),
        (b'{"model":"sim/echo","stream":"yes"}', "invalid_type"),
        (b'{"model":"sim/echo","max_tokens":-1}', "invalid_type"),
        (b'{"model":"sim/echo","n":"2"}', "invalid_type"),
    ],
)
def test_a_body_that_cannot_be_read(gateway: GatewayThread, body: bytes, code: str) -> None:
    """A 400 in OpenAI's shape that says what is wrong."""
    answer = send(gateway.url + URL, body, KEY)
    assert (answer.status, answer.json["error"]["code"]) == (400, code)
    assert answer.json["error"]["request_id"] == answer.headers["x-request-id"]
    assert answer.json["error"]["type"] == "invalid_request_error"


def test_what_is_not_served(gateway: GatewayThread) -> None:
    """Unknown paths, later parts and other methods each have their own answer."""
    for method, path, status, code in (
        ("POST", "/v1/nothing", 404, "unknown_path"),
        ("POST", "/v1/batches", 501, "endpoint_not_built"),
        ("GET", URL, 405, "method_not_allowed"),
    ):
        answer = send(gateway.url + path, {"model": "sim/echo"}, KEY, method=method)
        assert (answer.status, answer.json["error"]["code"]) == (status, code)
    batch = send(gateway.url + "/v1/messages/batches", {"requests": []}, KEY)
    assert (batch.status, batch.json["type"], batch.json["error"]["code"]) == (
        501,
        "error",
        "endpoint_not_built",
    )
    form = send(gateway.url + URL, b"model=sim/echo", KEY, headers={"content-type": "text/plain"})
    assert (form.status, form.json["error"]["code"]) == (415, "unsupported_media_type")


def test_an_error_in_the_middle_of_a_stream_is_raised(client: OpenAI) -> None:
    """What arrived before it is delivered; then the SDK raises an error with our code and the request id."""
    stream = client.chat.completions.create(model="sim/tokens-50+error-after-5", messages=HELLO, stream=True)
    seen: list[str] = []
    with pytest.raises(openai.APIError) as raised:
        seen.extend(choice.delta.content or "" for chunk in stream for choice in chunk.choices)
    assert seen
    assert raised.value.code == "upstream_error"
    assert str(told(raised.value)["request_id"]).startswith("req_")


def test_an_error_in_the_middle_of_a_responses_stream_is_raised(client: OpenAI) -> None:
    """The typed stream has a typed error."""
    stream = client.responses.create(model="sim/tokens-50+error-after-9", input="Say something.", stream=True)
    with pytest.raises(openai.APIError) as raised:
        list(stream)
    assert raised.value.code == "upstream_error"
    assert "sim/tokens-50+error-after-9" in raised.value.message
