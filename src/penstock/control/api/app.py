"""The application: handlers, who asks, refusals, the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig

from penstock import __version__
from penstock.control.api import (
    audit,
    cache,
    drills,
    exchanges,
    keys,
    metering,
    oidc,
    revisions,
    routing,
    session,
)
from penstock.control.api.answers import defect, http_error, refused, unavailable
from penstock.control.api.auth import Authentication, Authenticator
from penstock.control.api.openapi import document
from penstock.control.api.requests import provide_asker, provide_body, provide_plane
from penstock.control.api.resources import routers
from penstock.control.login.oidc import OidcLogins
from penstock.control.login.people import People
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.ports.control_store import StoreError

PREFIX = "/admin/api"


@get("/whoami", operation_id="whoami", summary="Who the caller is here, and with which roles", tags=["session"])
async def whoami(asker: NamedDependency[Asker]) -> dict[str, Any]:
    """Also a way to try a credential out."""
    principal = asker.principal
    grants = [{"role": g.role, "org": g.place.org, "team": g.place.team} for g in principal.grants]
    return {"kind": principal.kind, "name": principal.name, "grants": grants}


@get("/schema", include_in_schema=False)
async def schema(state: State) -> Response[bytes]:
    """The OpenAPI document; it names no object, so that nobody is asked who he is."""
    return Response(state.openapi, media_type="application/json")


def make_app(
    plane: ControlPlane,
    authenticators: Sequence[Authenticator],
    people: People | None = None,
    logins: OidcLogins | None = None,
) -> Litestar:
    """The admin API around a service; without `people` nobody logs in, without `logins` not at providers."""
    router = Router(
        PREFIX,
        route_handlers=[
            whoami,
            schema,
            *routers(),
            *keys.HANDLERS,
            *revisions.HANDLERS,
            *audit.HANDLERS,
            *routing.HANDLERS,
            *drills.HANDLERS,
            *session.HANDLERS,
            *exchanges.HANDLERS,
            *cache.HANDLERS,
            *metering.HANDLERS,
            *oidc.HANDLERS,
        ],
        dependencies={
            "asker": Provide(provide_asker, sync_to_thread=True),
            "plane": Provide(provide_plane, sync_to_thread=False),
            "sent": Provide(provide_body),
            "plain": Provide(session.provide_plain_body),
            "sent_form": Provide(oidc.provide_form),
        },
    )
    app = Litestar(
        route_handlers=[router],
        state=State(
            {
                "plane": plane,
                "authentication": Authentication(plane, authenticators),
                "people": people,
                "logins": logins,
                "auth": plane.auth,
            }
        ),
        exception_handlers={
            Denied: refused,
            StoreError: unavailable,
            HTTPException: http_error,
            Exception: defect,
        },
        openapi_config=OpenAPIConfig(title="Penstock admin API", version=__version__, path="/unused"),
        logging_config=None,
        debug=False,
    )
    app.state.openapi = document(app)
    return app
