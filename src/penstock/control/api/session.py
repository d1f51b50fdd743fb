"""Logging in and out, passwords, and where somebody is logged in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from penstock.control.api.requests import AnyRequest, fields_of, read_body, request_id
from penstock.control.api.resources import NO_ORG, NamePath, OrgPath, org_of
from penstock.control.api.shapes import timestamp
from penstock.control.login.oidc import OidcLogins
from penstock.control.login.people import People
from penstock.control.login.sessions import cookie_line, cookie_of, csrf_of, digest_of
from penstock.control.objects import Asker
from penstock.control.problems import Denied


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """An identity provider at which one can log in; `start` is where a browser begins."""

    name: str
    title: str
    start: str


class LoginMethods(msgspec.Struct, frozen=True, kw_only=True):
    """How one can log in here."""

    password: bool
    providers: list[ProviderView]


class GrantView(msgspec.Struct, frozen=True, kw_only=True):
    """A role at a place."""

    role: str
    org: str
    team: str


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in; `csrf` goes into the header x-csrf-token of each change."""

    name: str
    org: str
    user: str
    grants: list[GrantView]
    csrf: str
    expires_at: str


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One place where somebody is logged in."""

    method: str
    address: str
    created_at: str
    seen_at: str
    expires_at: str


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, the newest first."""

    items: list[SessionRow]


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions ended.

    `logout_url` is where a browser ends its session at the identity provider, too; empty where there is none.
    """

    ended: int
    logout_url: str = ""


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name and a password; `org` is empty for people of the installation."""

    user: str
    password: str
    org: str = ""


class NewPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A password; `current` is the one before, needed where it is one's own."""

    password: str
    current: str = ""


def people_of(state: State) -> People:
    """The service. Raises Denied where this control has no logins."""
    people: People | None = state.people
    if people is None:
        raise Denied("not_found", "nobody logs in here")
    return people


def view_of(people: People, token: str) -> SessionView:
    """The session that a token stands for. Raises Denied, StoreError."""
    session = people.sessions.find(token)
    if session is None:
        raise Denied("not_found", "this request has no session: it came with a token, or nobody has logged in")
    principal = people.sessions.principal_of(session)
    grants = [GrantView(role=g.role, org=g.place.org, team=g.place.team) for g in principal.grants]
    return SessionView(
        name=principal.name,
        org=session.org,
        user=session.user,
        grants=grants,
        csrf=csrf_of(token),
        expires_at=timestamp(session.expires_ms),
    )


@get(
    "/login", operation_id="login_methods", summary="How one can log in", tags=["session"], sync_to_thread=True
)
def methods(state: State) -> LoginMethods:
    """It names nobody, so that nobody is asked who he is."""
    people_of(state)
    auth = state.auth()
    providers = [
        ProviderView(name=name, title=one.title or name, start=f"/admin/api/login/{name}")
        for name, one in auth.oidc.items()
    ]
    return LoginMethods(password=auth.passwords, providers=providers)


@post(
    "/session", operation_id="log_in", summary="Log in with a password", tags=["session"], sync_to_thread=True
)
def log_in(request: AnyRequest, state: State, plain: NamedDependency[dict[str, Any]]) -> Response[SessionView]:
    """Sets the session's cookie."""
    people = people_of(state)
    given = _as(Credentials, plain)
    headers = fields_of(request)
    org = "" if given.org == NO_ORG else given.org
    token, session = people.log_in(org, given.user, given.password, headers, request_id(request))
    seconds = (session.expires_ms - session.created_ms) // 1000
    return Response(
        view_of(people, token),
        status_code=201,
        headers={"set-cookie": cookie_line(token, headers, seconds), "cache-control": "no-store"},
    )


@get("/session", operation_id="get_session", summary="Who is logged in", tags=["session"], sync_to_thread=True)
def current(request: AnyRequest, state: State, asker: NamedDependency[Asker]) -> Response[SessionView]:
    """For whoever came by a cookie."""
    del asker
    view = view_of(people_of(state), cookie_of(fields_of(request)))
    return Response(view, headers={"cache-control": "no-store"})


@delete(
    "/session",
    operation_id="log_out",
    summary="Log out",
    tags=["session"],
    status_code=200,
    sync_to_thread=True,
)
def log_out(
    request: AnyRequest,
    state: State,
    asker: NamedDependency[Asker],
    everywhere: Annotated[bool, QueryParameter(description="End all sessions of this person.")] = False,
) -> Response[Ended]:
    """Ends the session of the cookie, and with `everywhere` the person's other ones."""
    people, headers = people_of(state), fields_of(request)
    token = cookie_of(headers) if "authorization" not in headers else ""
    session = people.sessions.find(token) if token else None
    logins: OidcLogins | None = state.logins
    url = logins.logout_url(session) if logins is not None and session is not None else ""
    principal = asker.principal
    if everywhere and principal.kind == "user":
        ended = people.log_out_everywhere(asker, principal.org, principal.user)
    elif token:
        people.log_out(asker, digest_of(token))
        ended = 1
    else:
        raise Denied("invalid_request", "this request has no session to end; revoke the key to end a token")
    answer = Ended(ended=ended, logout_url=url)
    return Response(answer, headers={"set-cookie": cookie_line("", headers, 0)})


@put(
    "/orgs/{org:str}/users/{name:str}/password",
    operation_id="set_password",
    summary="Set a user's password",
    tags=["users"],
    sync_to_thread=True,
)
def set_password(
    request: AnyRequest,
    state: State,
    asker: NamedDependency[Asker],
    org: OrgPath,
    name: NamePath,
    sent: NamedDependency[dict[str, Any]],
) -> Ended:
    """Ends the user's other sessions."""
    given = _as(NewPassword, sent)
    headers = fields_of(request)
    token = cookie_of(headers) if "authorization" not in headers else ""
    ended = people_of(state).set_password(
        asker, org_of(org, "user"), name, given.password, given.current, digest_of(token) if token else ""
    )
    return Ended(ended=ended)


@delete(
    "/orgs/{org:str}/users/{name:str}/password",
    operation_id="forget_password",
    summary="Remove a user's password",
    tags=["users"],
    status_code=200,
    sync_to_thread=True,
)
def forget_password(state: State, asker: NamedDependency[Asker], org: OrgPath, name: NamePath) -> Ended:
    """They log in at an identity provider from now on."""
    people_of(state).forget_password(asker, org_of(org, "user"), name)
    return Ended(ended=0)


@get(
    "/orgs/{org:str}/users/{name:str}/sessions",
    operation_id="get_sessions",
    summary="Where a user is logged in",
    tags=["users"],
    sync_to_thread=True,
)
def sessions(state: State, asker: NamedDependency[Asker], org: OrgPath, name: NamePath) -> SessionList:
    """For oneself, or for whoever could act for them."""
    found = people_of(state).sessions_of(asker, org_of(org, "user"), name)
    rows = [
        SessionRow(
            method=one.method,
            address=one.address,
            created_at=timestamp(one.created_ms),
            seen_at=timestamp(one.seen_ms),
            expires_at=timestamp(one.expires_ms),
        )
        for one in found
    ]
    return SessionList(items=rows)


@delete(
    "/orgs/{org:str}/users/{name:str}/sessions",
    operation_id="end_sessions",
    summary="Log a user out everywhere",
    tags=["users"],
    status_code=200,
    sync_to_thread=True,
)
def end_sessions(state: State, asker: NamedDependency[Asker], org: OrgPath, name: NamePath) -> Ended:
    """For oneself, or for whoever could act for them."""
    return Ended(ended=people_of(state).log_out_everywhere(asker, org_of(org, "user"), name))


async def provide_plain_body(request: AnyRequest) -> dict[str, Any]:
    """A JSON object from somebody who is not known yet. Raises Denied."""
    return await read_body(request, MAX_LOGIN)


MAX_LOGIN = 4096
HANDLERS: list[HTTPRouteHandler] = [
    methods, log_in, current, log_out, set_password, forget_password, sessions, end_sessions,
]  # fmt: skip


def _as(kind: type[Any], sent: dict[str, Any]) -> Any:
    try:
        return msgspec.convert(sent, kind)
    except msgspec.ValidationError as error:
        raise Denied("invalid_request", str(error)) from None
