"""Refusals and defects as problem details (RFC 9457)."""

from __future__ import annotations

import logging
from typing import Any, cast

from litestar import Response
from litestar.exceptions import HTTPException

from penstock.control.api.requests import AnyRequest, request_id
from penstock.control.api.shapes import ProblemDetails
from penstock.control.problems import CODES, Denied, FieldError
from penstock.ports.control_store import StoreError

MEDIA_TYPE = "application/problem+json"
_BY_STATUS = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
log = logging.getLogger("penstock.control.api")


def problem(request: AnyRequest, denied: Denied, headers: dict[str, str] | None = None) -> Response[Any]:
    """A refusal as an answer."""
    number = request_id(request)
    details = ProblemDetails(
        type=f"urn:penstock:problem:{denied.code}",
        title=denied.title,
        status=denied.status,
        code=denied.code,
        detail=denied.detail,
        request_id=number,
        errors=list(denied.errors),
    )
    lines = {"x-penstock-request-id": number, "cache-control": "no-store", **(headers or {})}
    if denied.status == 401:
        lines["www-authenticate"] = 'Bearer realm="penstock"'
    if denied.retry_after_s or denied.status == 503:
        lines["retry-after"] = str(denied.retry_after_s or 1)
    return Response(details, status_code=denied.status, media_type=MEDIA_TYPE, headers=lines)


def refused(request: AnyRequest, error: Denied) -> Response[Any]:
    """What a service refused."""
    return problem(request, error)


def unavailable(request: AnyRequest, error: StoreError) -> Response[Any]:
    """The database cannot be reached."""
    log.warning("%s", error)
    return problem(request, Denied("store_unavailable", f"{error}; try again"))


def http_error(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """What the framework refused: paths, methods, parameters."""
    code = _BY_STATUS.get(error.status_code, "invalid_request" if error.status_code < 500 else "internal_error")
    extra = cast("list[object]", error.extra) if isinstance(error.extra, list) else []
    told = [cast("dict[str, object]", one) for one in extra if isinstance(one, dict)]
    errors = [FieldError(path=str(one.get("key", "")), message=str(one.get("message", ""))) for one in told]
    said = error.detail if error.status_code < 500 else CODES[code][1]
    denied = Denied(code, said, errors)
    kept = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return problem(request, denied, kept)


def defect(request: AnyRequest, error: Exception) -> Response[Any]:
    """A fault of ours: said in the log, not to the caller."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(request, Denied("internal_error", f"control failed on this request ({request_id(request)})"))
