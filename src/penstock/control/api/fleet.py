"""The application at `server.control_listen`: other machines get snapshots, and say what they serve."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import TypeVar

import msgspec
from litestar import Litestar, Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from penstock.control.api.auth import bearer
from penstock.control.api.requests import AnyRequest
from penstock.control.fleet import Fleet
from penstock.ports.fleet import Asked, Heard

# A machine with 256 gateways says about 16 kB.
MAX_BODY = 256_000
NUMBER = "x-penstock-revision-number"
T = TypeVar("T")


async def _sent(request: AnyRequest, kind: type[T]) -> T:
    """What a machine sent, after it is known to be one of ours. Raises HTTPException."""
    given = bearer({"authorization": request.headers.get("authorization", "")})
    if not hmac.compare_digest(given.encode(), request.app.state.bearer.encode()):
        raise HTTPException(status_code=HTTPStatus.UNAUTHORIZED, detail="another server.control_token")
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BODY:
            raise HTTPException(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail="the body is too large")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise HTTPException(status_code=HTTPStatus.BAD_REQUEST, detail=f"the body: {error}") from None


@post("/fleet/v1/snapshot")
async def snapshot(request: Request[object, object, State], state: State) -> Response[bytes]:
    """What is newer than the machine has, as soon as it is there; 204 where nothing came in time."""
    fleet: Fleet = state.fleet
    found = await fleet.newer(await _sent(request, Asked))
    if found is None:
        return Response(b"", status_code=HTTPStatus.NO_CONTENT)
    headers = {NUMBER: str(found.number), "cache-control": "no-store"}
    return Response(
        found.data, status_code=HTTPStatus.OK, headers=headers, media_type="application/octet-stream"
    )


@post("/fleet/v1/gateways", status_code=HTTPStatus.NO_CONTENT)
async def gateways(request: Request[object, object, State], state: State) -> None:
    """What the gateways of a machine serve."""
    fleet: Fleet = state.fleet
    fleet.heard(await _sent(request, Heard))


def make_fleet_app(fleet: Fleet, bearer_token: str) -> Litestar:
    """The application for machines that send this credential."""
    return Litestar(
        route_handlers=[snapshot, gateways],
        state=State({"fleet": fleet, "bearer": bearer_token}),
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
