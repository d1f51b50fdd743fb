"""How people log in to the control plane, and whose tokens are API credentials."""

from __future__ import annotations

from typing import Literal

import msgspec

from penstock.config.document.fields import Count, CountOrNone, Duration, Name, Network, Text, Url
from penstock.config.document.limits import Budget, Limits
from penstock.config.document.secret import Secret

TokenAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
RoleName = Literal["owner", "admin", "member", "viewer", "auditor"]
ALGORITHMS: tuple[TokenAlgorithm, ...] = ("RS256", "ES256", "EdDSA", "Ed25519")


class SessionLife(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long somebody stays logged in.

    Attributes:
        idle: After so long without a request the session ends, such as `8h`; in seconds when it is a number.
        absolute: After so long it ends in any case, such as `7d`.
    """

    idle_s: Duration = msgspec.field(default=8 * 3600, name="idle")
    absolute_s: Duration = msgspec.field(default=7 * 86_400, name="absolute")


class ClaimRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role that a claim gives for as long as the session lasts.

    Attributes:
        claim: The claim's name; dots lead into objects, such as `realm_access.roles`.
        value: The value that it has, or holds where it is a list.
        role: What they may do.
        org: The organisation that the role is in; without it, that of the provider.
        team: The team that the role is for; without it, all.
    """

    claim: Text
    value: Text
    role: RoleName
    org: Name | None = None
    team: Name | None = None


class OidcProvider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An identity provider at which people log in, by OpenID Connect (authorization code with PKCE).

    Attributes:
        issuer: Its address, exactly as it calls itself; its settings are read below it.
        client_id: What it calls us.
        client_secret: Our password there, best as `${VARIABLE}`; without it we are a public client.
        title: What a person sees on the button.
        scopes: What we ask for; `openid` is always among it.
        leeway: By how many seconds its clock may differ from ours.
        org: The organisation whose people log in there; without it they are the installation's own.
        user_claim: The claim that becomes the user's name; people must not be able to choose it themselves.
        create: Whether who logs in for the first time becomes a user; otherwise the user must be there.
        roles: Roles by claims. Somebody without any role is not let in.
        team_claim: The claim that names the teams that a person belongs to, one or a list.
        teams: What its values mean, such as `{/eng/search: search}`; without it, they are names of teams.
        team_role: What people may do in the teams that the claim names.
        unknown_teams: What to do with somebody whose claim names something that is no team here.
    """

    issuer: Text
    client_id: Text
    client_secret: Secret | None = None
    title: Text | None = None
    scopes: tuple[Text, ...] = ("openid", "profile", "email")
    leeway_s: CountOrNone = msgspec.field(default=30, name="leeway")
    org: Name | None = None
    user_claim: Text = "sub"
    create: bool = True
    roles: tuple[ClaimRole, ...] = ()
    team_claim: Text | None = None
    teams: dict[Text, Name] = {}
    team_role: RoleName = "member"
    unknown_teams: Literal["ignore", "refuse"] = "ignore"


class TokenIssuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose tokens (JWT) clients may send instead of a virtual key.

    Attributes:
        issuer: The claim `iss` of its tokens, exactly; its settings are read below it.
        audience: What `aud` must name, one of these.
        jwks_url: Where its public keys are; without it, where its settings say.
        algorithms: How its tokens may be signed; without it RS256, ES256 and EdDSA (Ed25519).
        leeway: By how many seconds its clock may differ from ours.
        require: Claims that a token must have, with these values.
        org: The organisation that pays, where it is the same for all tokens.
        org_claim: The claim that names it otherwise.
        team: Its team, where it is the same for all tokens.
        team_claim: The claim that names it otherwise.
        user_claim: The claim that names the user.
        routes: Routes that its tokens may use; without it, all.
        routes_claim: A claim with the routes of one token, among those.
        direct: Whether its tokens may name deployments, `provider/model` and bare vendor models too.
        tags: Tags of every request with its tokens; the client cannot change them.
        limits: How much all of its tokens together may use.
        budget: How much they may spend together.
        budgets: More budgets, with other windows.
        endpoints: Endpoints that they may call, such as `[chat, embeddings]`; without it, all.
        dialects: API shapes that they may speak, such as `[openai, anthropic]`; without it, all.
        networks: Addresses that they may be used from, such as `[10.0.0.0/8]`; without it, all.
        max_tokens: Most output tokens that one request may ask for; one that asks for nothing gets this.
    """

    issuer: Text
    audience: tuple[Text, ...]
    jwks_url: Url | None = None
    algorithms: tuple[TokenAlgorithm, ...] = ALGORITHMS
    leeway_s: CountOrNone = msgspec.field(default=30, name="leeway")
    require: dict[Text, Text] = {}
    org: Name | None = None
    org_claim: Text | None = None
    team: Name | None = None
    team_claim: Text | None = None
    user_claim: Text = "sub"
    routes: tuple[Name, ...] | None = None
    routes_claim: Text | None = None
    direct: bool = False
    tags: dict[Name, str] = {}
    limits: Limits = Limits()
    budget: Budget | None = None
    budgets: tuple[Budget, ...] = ()
    endpoints: tuple[Text, ...] | None = None
    dialects: tuple[Text, ...] | None = None
    networks: tuple[Network, ...] | None = None
    max_tokens: Count | None = None


class Auth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is let in, and how.

    Attributes:
        passwords: Whether people may log in to the control plane with a password that is kept here.
        session: How long they stay logged in.
        public_url: The address at which browsers reach the control plane; identity providers send people
            back there.
        oidc: Identity providers at which people log in, by name.
        tokens: Whose tokens are API credentials, by name.
    """

    passwords: bool = True
    session: SessionLife = SessionLife()
    public_url: Url | None = None
    oidc: dict[Name, OidcProvider] = {}
    tokens: dict[Name, TokenIssuer] = {}
