"""What every handler needs of a request: who asks, the body, the preconditions."""

from __future__ import annotations

import re
import secrets
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.di import NamedDependency

from penstock.control.api.auth import Authentication
from penstock.control.objects import Asker, Expected
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied

MAX_BODY = 1_000_000
_ETAG = re.compile(r'(?:W/)?"([^"]*)"')
AnyRequest = Request[Any, Any, State]


def request_id(request: AnyRequest) -> str:
    """The id of this request: the gateway's where it forwarded it, else one of ours."""
    known = cast("dict[str, Any]", request.scope).get("penstock_request_id")
    if not isinstance(known, str):
        given = request.headers.get("x-penstock-request-id", "")
        known = given if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", given) else f"adm_{secrets.token_hex(10)}"
        cast("dict[str, Any]", request.scope)["penstock_request_id"] = known
    return known


def provide_asker(request: AnyRequest, state: State) -> Asker:
    """Who asks. Raises Denied."""
    authentication: Authentication = state.authentication
    return authentication.asker(fields_of(request), request_id(request))


def fields_of(request: AnyRequest) -> dict[str, str]:
    """Fields by their names in lower case; `:method` besides, as HTTP/2 has it."""
    fields = {name.lower(): value for name, value in request.headers.items()}
    return {**fields, ":method": request.method}


def provide_plane(state: State) -> ControlPlane:
    """The service."""
    return state.plane


async def provide_body(request: AnyRequest, asker: NamedDependency[Asker]) -> dict[str, Any]:
    """The JSON object that was sent, after it is known who sent it. Raises Denied."""
    del asker
    return await read_body(request, MAX_BODY)


async def read_form(request: AnyRequest, most: int) -> dict[str, str]:
    """The form that was sent. Raises Denied."""
    data = await _read(request, most, "application/x-www-form-urlencoded")
    try:
        return dict(parse_qsl(data.decode("ascii"), strict_parsing=True, max_num_fields=20))
    except ValueError as error:
        raise Denied("invalid_request", f"the body is no form: {error}") from None


async def _read(request: AnyRequest, most: int, wanted: str) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != wanted:
        raise Denied("unsupported_media_type", f"send {wanted}")
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise Denied("body_too_large", f"a body has at most {most} bytes")
    return data


async def read_body(request: AnyRequest, most: int) -> dict[str, Any]:
    """The JSON object that was sent. Raises Denied."""
    data = await _read(request, most, "application/json")
    try:
        body = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Denied("invalid_request", f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Denied("invalid_request", "the body must be a JSON object")
    return cast("dict[str, Any]", body)


def expected(if_match: str | None, if_none_match: str | None) -> Expected:
    """The preconditions of a change. Raises Denied."""
    versions: tuple[int, ...] | None = None
    if if_match is not None:
        if if_match.strip() == "*":
            versions = ()
        else:
            found = _ETAG.findall(if_match)
            # What is none of our versions matches none.
            versions = tuple(
                int(one) if one.isascii() and one.isdigit() and len(one) < 19 else -1 for one in found
            ) or (-1,)
    if if_none_match is not None and if_none_match.strip() != "*":
        raise Denied("invalid_request", "If-None-Match of a change can only be *")
    return Expected(versions, absent=if_none_match is not None)


def answered(view: Any, etag: str, if_none_match: str | None = None, status: int = 200) -> Response[Any]:
    """An answer with its ETag; 304 without a body where the caller has it already."""
    if if_none_match is not None and (
        if_none_match.strip() == "*" or etag.strip('W/"') in _ETAG.findall(if_none_match)
    ):
        return Response(None, status_code=304, headers={"etag": etag})
    return Response(view, status_code=status, headers={"etag": etag, "cache-control": "no-store"})


def version_etag(version: int) -> str:
    """The ETag of an object: the number of the revision that changed it last."""
    return f'"{version}"'
