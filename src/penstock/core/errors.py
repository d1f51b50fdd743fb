"""What Penstock refuses, as one type with a stable code.

Refusal            ours: the request is not carried out, or no answer could be had
  code             low-cardinality, documented in docs/errors.md, the same in every dialect
  status           the HTTP status the client sees
  retry_after_s    honest seconds for 429 and 503, None where waiting does not help

Each code has one row in CODES; dialects map `type` to their own names.
"""

from __future__ import annotations

from typing import Literal

ErrorType = Literal[
    "invalid_request",
    "authentication",
    "permission",
    "not_found",
    "rate_limit",
    "budget",
    "upstream",
    "unavailable",
]

CODES: dict[str, tuple[int, ErrorType, str]] = {
    "invalid_json": (400, "invalid_request", "The body is not valid JSON."),
    "not_an_object": (400, "invalid_request", "The body is JSON, but not an object."),
    "duplicate_key": (400, "invalid_request", "A key stands twice in one JSON object."),
    "case_variant_key": (
        400,
        "invalid_request",
        "A key that the gateway checks was sent in another spelling.",
    ),
    "invalid_type": (400, "invalid_request", "A field that the gateway reads has the wrong type."),
    "missing_model": (400, "invalid_request", "The request names no model."),
    "missing_tag": (400, "invalid_request", "The route requires a tag that the request does not carry."),
    "bad_tags": (400, "invalid_request", "The x-penstock-tags header cannot be read."),
    "bad_cache_control": (400, "invalid_request", "The x-penstock-cache header cannot be read."),
    "bad_multipart": (400, "invalid_request", "The multipart body cannot be read."),
    "bad_framing": (400, "invalid_request", "The HTTP message breaks RFC 9112."),
    "bad_header": (400, "invalid_request", "A header name has a character that is not allowed."),
    "bad_method": (400, "invalid_request", "The request does not begin with a method; perhaps it is TLS."),
    "bad_target": (400, "invalid_request", "The request target is not a path."),
    "bad_host": (400, "invalid_request", "The Host header is not a host and a port."),
    "too_many_requests_ahead": (
        400,
        "invalid_request",
        "Too many requests were sent on one connection ahead of their answers.",
    ),
    "missing_host": (400, "invalid_request", "HTTP/1.1 requires a Host header."),
    "duplicate_header": (400, "invalid_request", "A header that must stand once was sent twice."),
    "incomplete_request": (
        400,
        "invalid_request",
        "The connection was closed before the request was complete.",
    ),
    "unsupported_parameter": (
        400,
        "invalid_request",
        "The target cannot take a parameter, and on_unsupported is error.",
    ),
    "unsupported_endpoint": (400, "invalid_request", "The target has nothing that serves this endpoint."),
    "responses_store_off": (
        400,
        "invalid_request",
        "Responses are not kept here, so that none can be gone on from.",
    ),
    "response_elsewhere": (
        400,
        "invalid_request",
        "The route does not lead to the provider that keeps the response.",
    ),
    "guard_blocked": (400, "invalid_request", "A guard of the route stopped the request, or its answer."),
    "upstream_rejected": (400, "invalid_request", "The provider refused the request."),
    "missing_key": (401, "authentication", "The request carries no API key."),
    "invalid_key": (401, "authentication", "The API key is not known here."),
    "key_expired": (401, "authentication", "The API key has expired."),
    "token_rejected": (401, "authentication", "The token (JWT) is not accepted."),
    "budget_exceeded": (402, "budget", "A budget does not cover the request."),
    "route_not_allowed": (403, "permission", "The key may not use this route."),
    "direct_not_allowed": (403, "permission", "The key may not name a provider's model directly."),
    "endpoint_not_allowed": (403, "permission", "The key may not call this endpoint."),
    "dialect_not_allowed": (403, "permission", "The key may not use the API of this vendor's shape."),
    "network_not_allowed": (403, "permission", "The key may not be used from this address."),
    "max_tokens_not_allowed": (403, "permission", "The request asks for more output than the key allows."),
    "policy_denied": (
        403,
        "permission",
        "No target that may serve the request meets what the organisation, team, key or route requires.",
    ),
    "unknown_model": (404, "not_found", "No route, deployment or provider serves this model name."),
    "unknown_response": (404, "not_found", "The organisation of this key has no response with this id."),
    "unknown_id": (
        404,
        "not_found",
        "The organisation of this key has no item, container, file or cache with this id.",
    ),
    "unknown_video": (404, "not_found", "The key has no video with this id."),
    "unknown_path": (404, "not_found", "No endpoint is served at this path."),
    "method_not_allowed": (405, "invalid_request", "The endpoint exists, with another method."),
    "drill_refused": (409, "invalid_request", "A failover drill cannot be begun, or there is none."),
    "request_timeout": (408, "invalid_request", "The request did not arrive in time."),
    "video_not_ready": (409, "invalid_request", "The video is not finished, so it has no content yet."),
    "body_too_large": (413, "invalid_request", "The body is larger than server.max_body_bytes."),
    "target_too_long": (414, "invalid_request", "The request target is too long."),
    "unsupported_media_type": (415, "invalid_request", "The content type is not served at this endpoint."),
    "bad_expectation": (417, "invalid_request", "The only expectation served is 100-continue."),
    "headers_too_large": (431, "invalid_request", "The request head is too large."),
    "rate_limited": (429, "rate_limit", "A limit of requests or tokens is used up for now."),
    "too_many_concurrent": (429, "rate_limit", "As many requests are under way as may be."),
    "upstream_rate_limited": (429, "rate_limit", "Every target that may serve this request is rate limited."),
    "session_exhausted": (403, "permission", "The session has made as many requests as it may."),
    "deployment_busy": (429, "rate_limit", "The model's deployment takes no more requests just now."),
    "unpriced_model": (403, "budget", "A budget applies and the model has no price."),
    "endpoint_not_built": (501, "unavailable", "The endpoint is part of the design and not built yet."),
    "bad_http_version": (505, "invalid_request", "The HTTP version is not served."),
    "upstream_auth": (502, "upstream", "The provider refused the gateway's credential or account."),
    "upstream_error": (502, "upstream", "The provider failed."),
    "upstream_garbage": (502, "upstream", "The provider's answer cannot be read."),
    "schema_mismatch": (502, "upstream", "No answer has the form that the request asks for."),
    "upstream_unreachable": (502, "upstream", "No connection to the provider."),
    "upstream_overloaded": (503, "unavailable", "The provider is overloaded."),
    "no_credential": (503, "unavailable", "The gateway has no valid credential for the provider just now."),
    "limits_unavailable": (503, "unavailable", "What is left of a limit cannot be asked for just now."),
    "journal_full": (503, "unavailable", "The journal cannot take another record."),
    "responses_unavailable": (503, "unavailable", "The store of responses cannot be read or written."),
    "control_unavailable": (503, "unavailable", "The control process does not answer just now."),
    "token_keys_missing": (503, "unavailable", "The keys of the token's issuer are not known yet."),
    "draining": (503, "unavailable", "The gateway is shutting down."),
    "exchange_killed": (403, "permission", "An administrator stopped the request."),
    "internal_error": (500, "unavailable", "A defect in the gateway."),
    "upstream_timeout": (504, "upstream", "The provider did not answer in time."),
}


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault of the program
    """The request gets no answer from a provider; the message says how to fix it."""

    def __init__(
        self, code: str, message: str, *, param: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status, self.type, _ = CODES[code]
        self.param = param
        self.retry_after_s = retry_after_s


class ShapeError(ValueError):
    """A field is not what its API says; `where` is its path, such as `messages[2].content`."""

    def __init__(self, where: str, wanted: str) -> None:
        super().__init__(f"{where or 'the body'} must be {wanted}")
        self.where = where
