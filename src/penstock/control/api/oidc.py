"""The two addresses by which a browser logs in at an identity provider, and who is linked to one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from penstock.control.api.answers import refused
from penstock.control.api.pages import PAGE_HEADERS, is_browser, refusal_page
from penstock.control.api.requests import AnyRequest, fields_of, read_form, request_id
from penstock.control.api.resources import NamePath, OrgPath, org_of
from penstock.control.api.session import Ended, people_of
from penstock.control.login.oidc import LOGIN_PATH, OidcLogins, login_cookie_line
from penstock.control.login.sessions import cookie_line
from penstock.control.objects import Asker
from penstock.control.problems import Denied

LONGEST = 4096
LONGEST_FORM = 70_000
ProviderPath = Annotated[str, PathParameter(max_length=128, description="The provider's name in auth.oidc.")]
_TEXT = QueryParameter(required=False, max_length=LONGEST)
_NO_STORE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


class IdentityRow(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an identity provider means by a user."""

    issuer: str
    subject: str


class IdentityList(msgspec.Struct, frozen=True, kw_only=True):
    """All links of one user."""

    items: list[IdentityRow]


def logins_of(state: State) -> OidcLogins:
    """The service. Raises Denied where this control has no logins."""
    logins: OidcLogins | None = state.logins
    if logins is None:
        raise Denied("not_found", "nobody logs in here")
    return logins


def _failed(request: AnyRequest, denied: Denied) -> Response[Any]:
    """A browser shows people a page; programs get what every refusal is."""
    if not is_browser(request):
        return refused(request, denied)
    page = refusal_page(denied, request_id(request), LOGIN_PATH)
    more = {"retry-after": str(denied.retry_after_s)} if denied.retry_after_s else {}
    headers = {**PAGE_HEADERS, **more, "x-penstock-request-id": request_id(request)}
    return Response(page, status_code=denied.status, media_type="text/html; charset=utf-8", headers=headers)


@get(
    "/login/{provider:str}",
    operation_id="begin_login",
    summary="Begin to log in at an identity provider",
    tags=["session"],
    status_code=302,
    sync_to_thread=True,
)
def begin(
    request: AnyRequest,
    state: State,
    provider: ProviderPath,
    then: Annotated[
        str,
        QueryParameter(
            name="next", required=False, max_length=LONGEST, description="The path to come to afterwards."
        ),
    ] = "",
) -> Response[Any]:
    """Sends the browser to the provider, with a cookie that binds the login to it."""
    headers = fields_of(request)
    try:
        url, browser = logins_of(state).begin(provider, then, headers)
    except Denied as denied:
        return _failed(request, denied)
    sent = {"location": url, "set-cookie": login_cookie_line(browser, headers), **_NO_STORE}
    return Response("", status_code=302, media_type="text/plain", headers=sent)


@get(
    "/login/{provider:str}/callback",
    operation_id="finish_login",
    summary="Come back from an identity provider",
    tags=["session"],
    status_code=302,
    sync_to_thread=True,
)
def finish(
    request: AnyRequest,
    state: State,
    provider: ProviderPath,
    login_state: Annotated[
        str, QueryParameter(name="state", required=False, max_length=LONGEST, description="Which login it is.")
    ] = "",
    code: Annotated[str, _TEXT] = "",
    iss: Annotated[str, _TEXT] = "",
    error: Annotated[str, _TEXT] = "",
    error_description: Annotated[str, _TEXT] = "",
) -> Response[Any]:
    """Sets the session's cookie, and sends the browser where it wanted to be."""
    headers = fields_of(request)
    answer = {
        "state": login_state, "code": code, "iss": iss, "error": error, "error_description": error_description,
    }  # fmt: skip
    try:
        token, session, then = logins_of(state).finish(provider, answer, headers, request_id(request))
    except Denied as denied:
        return _failed(request, denied)
    seconds = (session.expires_ms - session.created_ms) // 1000
    sent = {"location": then, "set-cookie": cookie_line(token, headers, seconds), **_NO_STORE}
    # The login's own cookie stays: it may bind another login of this browser, and ends by itself.
    return Response("", status_code=302, media_type="text/plain", headers=sent)


@post(
    "/login/{provider:str}/logout",
    operation_id="provider_logout",
    summary="An identity provider logs somebody out",
    tags=["session"],
    status_code=200,
    sync_to_thread=True,
)
def provider_logout(
    request: AnyRequest, state: State, provider: ProviderPath, sent_form: NamedDependency[dict[str, str]]
) -> Response[Any]:
    """OpenID Connect Back-Channel Logout 1.0: the form has a signed `logout_token`, which proves who asks."""
    headers = fields_of(request)
    try:
        logins_of(state).logged_out(provider, sent_form.get("logout_token", ""), headers, request_id(request))
    except Denied as denied:
        if denied.status not in (400, 403):
            raise
        # As section 2.8 has it.
        told = {"error": "invalid_request", "error_description": denied.detail}
        return Response(told, status_code=400, headers=_NO_STORE)
    return Response({}, status_code=200, headers=_NO_STORE)


async def provide_form(request: AnyRequest) -> dict[str, str]:
    """The form of somebody who proves himself by what is in it. Raises Denied."""
    return await read_form(request, LONGEST_FORM)


@get(
    "/orgs/{org:str}/users/{name:str}/identities",
    operation_id="get_identities",
    summary="Whom identity providers mean by a user",
    tags=["users"],
    sync_to_thread=True,
)
def identities(state: State, asker: NamedDependency[Asker], org: OrgPath, name: NamePath) -> IdentityList:
    """For oneself, or for whoever could act for them."""
    found = people_of(state).identities_of(asker, org_of(org, "user"), name)
    return IdentityList(items=[IdentityRow(issuer=one.issuer, subject=one.subject) for one in found])


@delete(
    "/orgs/{org:str}/users/{name:str}/identities",
    operation_id="unlink",
    summary="Forget whom identity providers mean by a user",
    tags=["users"],
    status_code=200,
    sync_to_thread=True,
)
def unlink(state: State, asker: NamedDependency[Asker], org: OrgPath, name: NamePath) -> Ended:
    """The next one who logs in under this name is the user from then on; sessions end."""
    return Ended(ended=people_of(state).unlink(asker, org_of(org, "user"), name))


HANDLERS: list[HTTPRouteHandler] = [begin, finish, provider_logout, identities, unlink]
