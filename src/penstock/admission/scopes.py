"""What a key is good for beyond its routes: until when, from where, for which endpoints and how much output."""

from __future__ import annotations

from penstock.admission.addresses import client_address, is_within
from penstock.admission.gate import key_of
from penstock.core.errors import Refusal
from penstock.core.plan import KeyBounds, Plan, VirtualKey
from penstock.ports.http_server import HttpRequest
from penstock.shapes.openai_request import OpenAIRequest


def key_for(plan: Plan, http: HttpRequest, now_ms: int, endpoint: str = "", dialect: str = "") -> VirtualKey:
    """The virtual key that a request carries, if it is good for this endpoint now and from there.

    An empty endpoint or dialect is one that every key may use. Raises Refusal.
    """
    key = key_of(plan, http.headers, now_ms)
    bounds = key.bounds
    if bounds is not None:
        if bounds.expires_ms is not None and now_ms >= bounds.expires_ms:
            raise Refusal("key_expired", "this API key has expired; ask for another one, or for its new secret")
        if bounds.networks:
            client = client_address(http, plan.trusted_proxies)
            if not is_within(client, bounds.networks):
                raise Refusal("network_not_allowed", f"this API key may not be used from {client or 'here'}")
        _check_use(bounds, endpoint, dialect)
    return key


def bound_output(key: VirtualKey, request: OpenAIRequest) -> None:
    """Hold a request to the key's bound on output tokens; who asks for none gets that. Raises Refusal."""
    bounds = key.bounds
    if bounds is None or bounds.max_tokens is None or not request.endpoint.cap_fields:
        return
    most = bounds.max_tokens // request.choices
    if most < 1 or (request.cap is not None and request.cap > most):
        asked = f"{request.cap} output tokens" if request.cap is not None else "output"
        times = f" {request.choices} times" if request.choices > 1 else ""
        told = f"this request asks for {asked}{times}; this API key allows {bounds.max_tokens} per request"
        raise Refusal("max_tokens_not_allowed", told, param=request.cap_field)
    if request.cap is None:
        request.cap = most
    request.bound = True


def _check_use(bounds: KeyBounds, endpoint: str, dialect: str) -> None:
    endpoints, dialects = bounds.endpoints, bounds.dialects
    # `audio` stands for `audio.speech` and all others of its family.
    if endpoint and endpoints is not None and not {endpoint, endpoint.partition(".")[0]} & endpoints:
        allowed = ", ".join(sorted(endpoints))
        raise Refusal(
            "endpoint_not_allowed", f"this API key may call {allowed or 'nothing'}, and not {endpoint}"
        )
    if dialect and dialects is not None and dialect not in dialects:
        allowed = ", ".join(sorted(dialects))
        raise Refusal(
            "dialect_not_allowed", f"this API key may use the API of {allowed or 'nobody'}, not of {dialect}"
        )
