"""What keys have besides the handlers of all kinds: creation with a secret, rotation, revocation."""

from __future__ import annotations

from typing import Annotated, Any, cast

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from penstock.control.api.requests import answered, expected, version_etag
from penstock.control.api.resources import IfMatch, NamePath, OrgPath, Reason, org_of
from penstock.control.api.shapes import KeyView, item_view
from penstock.control.keys import DEFAULT_OVERLAP_S, Keys
from penstock.control.objects import Asker, Objects
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied


@post(
    "/keys",
    operation_id="create_key",
    summary="Make a key; its secret is shown once",
    tags=["keys"],
    sync_to_thread=True,
)
def create(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    sent: NamedDependency[dict[str, Any]],
    reason: Reason = "",
) -> Response[KeyView]:
    """The body has `name`, `org` if it is one's, and the key's configuration as `spec`."""
    unknown = sent.keys() - {"name", "org", "spec"}
    name, org, spec = sent.get("name"), sent.get("org", ""), sent.get("spec", {})
    if unknown or not isinstance(name, str) or not isinstance(org, str) or not isinstance(spec, dict):
        raise Denied("invalid_request", "send {name, org, spec}; what the key may do stands in spec")
    item, secret, applied = Keys(Objects(plane)).create(
        asker, org, name, cast("dict[str, Any]", spec), reason=reason
    )
    return answered(item_view(plane, item, applied, secret), version_etag(item.version), status=201)


Overlap = Annotated[
    int, QueryParameter(name="overlap_s", ge=0, description="For how many seconds the secret before works on.")
]


@post(
    "/orgs/{org:str}/keys/{name:str}/rotate",
    operation_id="rotate_key",
    summary="Give a key a new secret",
    tags=["keys"],
    status_code=200,
    sync_to_thread=True,
)
def rotate(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    org: OrgPath,
    name: NamePath,
    overlap_s: Overlap = DEFAULT_OVERLAP_S,
    if_match: IfMatch = None,
    reason: Reason = "",
) -> Response[KeyView]:
    """The new secret is shown once."""
    item, secret, applied = Keys(Objects(plane)).rotate(
        asker, org_of(org, "key"), name, overlap_s=overlap_s, expected=expected(if_match, None), reason=reason
    )
    return answered(item_view(plane, item, applied, secret), version_etag(item.version))


@post(
    "/orgs/{org:str}/keys/{name:str}/revoke",
    operation_id="revoke_key",
    summary="Refuse a key from now on",
    tags=["keys"],
    status_code=200,
    sync_to_thread=True,
)
def revoke(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    org: OrgPath,
    name: NamePath,
    if_match: IfMatch = None,
    reason: Reason = "",
) -> Response[KeyView]:
    """It stays in the list as revoked, and cannot be revived."""
    item, applied = Keys(Objects(plane)).revoke(
        asker, org_of(org, "key"), name, expected=expected(if_match, None), reason=reason
    )
    return answered(item_view(plane, item, applied), version_etag(item.version))


HANDLERS: list[HTTPRouteHandler] = [create, rotate, revoke]
