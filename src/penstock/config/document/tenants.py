"""On whose account requests run: organisations, teams and virtual keys."""

from __future__ import annotations

from typing import Literal

import msgspec

from penstock.config.document.access import AwsAccess, EntraAccess, GoogleAccess
from penstock.config.document.fields import Count, Moment, Name, Network, Text, Weight
from penstock.config.document.limits import Budget, Limits, Priority
from penstock.config.document.providers import Facts
from penstock.config.document.routes import Require
from penstock.config.document.secret import Secret


class Allowed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much somebody may use, or what is done in some name.

    Attributes:
        limits: How much at a time.
        budget: How much money.
        budgets: More budgets, with other windows.
    """

    limits: Limits = Limits()
    budget: Budget | None = None
    budgets: tuple[Budget, ...] = ()


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user of an organisation.

    Attributes:
        limits: How much the user may use.
        budget: How much the user may spend.
        budgets: More budgets, with other windows.
        weight: The user's share in queues, against the organisation's other users.
        teams: The teams that the user belongs to.
        email: The address under which the user logs in and is notified.
    """

    limits: Limits = Limits()
    budget: Budget | None = None
    budgets: tuple[Budget, ...] = ()
    weight: Weight = 1.0
    teams: tuple[Name, ...] = ()
    email: Text | None = None


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant's own credential at a provider that is configured here; nobody else's requests carry it.

    Attributes:
        api_key: The credential, best as `${VARIABLE}` or `${file:/path}`.
        aws: AWS credentials, for kinds whose requests are signed.
        google: Google credentials, for Vertex AI.
        entra: An application of Microsoft Entra ID, for Azure's kinds.
        headers: Further headers for every request, instead of the provider's; the values are secrets.
        facts: What the tenant's own contract says; the facts of the provider's contract are not the tenant's.
        cost: `outside`: the vendor bills the tenant, so that requests cost nothing here. `counted`: they cost
            what the price says, and count against budgets.
    """

    api_key: Secret | None = None
    aws: AwsAccess | None = None
    google: GoogleAccess | None = None
    entra: EntraAccess | None = None
    headers: dict[str, Secret] = {}
    facts: Facts | None = None
    cost: Literal["outside", "counted"] = "outside"


class Team(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an organisation.

    Attributes:
        require: Facts that providers must have for this team.
        limits: How much the team may use.
        budget: How much it may spend.
        budgets: More budgets, with other windows.
        credentials: Its own credentials by the provider's name; they win over the organisation's.
    """

    require: Require | None = None
    limits: Limits = Limits()
    budget: Budget | None = None
    budgets: tuple[Budget, ...] = ()
    credentials: dict[Name, Credential] = {}


class Throttle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tighter bounds of one user or one key for a while, set by an alert's action or by hand.

    Attributes:
        user: The user, by name; of this organisation.
        key: The key instead, as logs call it; of this organisation.
        limits: How much they may use meanwhile; without any, `why` is only shown to them.
        downgrade: A route that serves all of their requests meanwhile.
        until: The moment from which it holds no more, such as `2026-12-01T12:00:00Z`.
        why: What they are told.
    """

    user: Text | None = None
    key: Text | None = None
    limits: Limits = Limits()
    downgrade: Name | None = None
    until: Moment
    why: Text | None = None


class Org(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation: the line that no data crosses.

    Attributes:
        require: Facts that providers must have for this organisation.
        limits: How much the organisation may use.
        budget: How much it may spend.
        budgets: More budgets, with other windows.
        teams: Its teams by name.
        users: Its people by name, and how much they may use; `"*"` holds for each one without a row.
        tags: How much is used in the name of a tag's value: by tag, then by value, `"*"` for each other value.
        weight: Its share in queues, against other organisations.
        credentials: Its own credentials by the provider's name, which its requests use and no one else's.
        throttles: Users and keys that are bound more tightly for a while, by name.
    """

    require: Require | None = None
    limits: Limits = Limits()
    budget: Budget | None = None
    budgets: tuple[Budget, ...] = ()
    teams: dict[Name, Team] = {}
    users: dict[Text, User] = {}
    tags: dict[Name, dict[Text, Allowed]] = {}
    weight: Weight = 1.0
    credentials: dict[Name, Credential] = {}
    throttles: dict[Name, Throttle] = {}


class PreviousSecret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A secret that a key had before its rotation, and that works on for a while.

    Attributes:
        secret: What the client sends, best as `${VARIABLE}` or `${file:/path}`.
        until: The moment from which it is refused, such as `2026-12-01T12:00:00Z`.
    """

    secret: Secret
    until: Moment


class VirtualKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that we issue to a client.

    Its `org` and `team` exist by being named here, unless the file has `orgs`: then they must stand there,
    so that a slip of the pen does not found an organisation.

    Attributes:
        name: The key's name; unique.
        secret: What the client sends, best as `${VARIABLE}` or `${file:/path}`; `${sha256:…}` with 64 hex
            digits gives its SHA-256 instead.
        org: The organisation that pays.
        team: Its team.
        user: Its user.
        routes: Routes that the key may use; without it, all.
        direct: Whether the key may name deployments, `provider/model` and bare vendor models too.
        tags: Tags of every request with this key; the client cannot change them.
        limits: How much the key may use.
        budget: How much it may spend.
        budgets: More budgets, with other windows.
        endpoints: Endpoints that the key may call, such as `[chat, embeddings]`; without it, all.
        dialects: API shapes that the key may speak, such as `[openai, anthropic]`; without it, all.
        networks: Addresses that the key may be used from, such as `[10.0.0.0/8]`; without it, all.
        expires_at: The moment from which the key is refused, such as `2026-12-01T12:00:00Z`.
        max_tokens: Most output tokens that one request may ask for; one that asks for nothing gets this.
        previous: Secrets from before a rotation that still work.
        priority: Its place in queues; the route's, if that has one, wins.
        require: Facts that providers must have for this key.
    """

    name: Name
    secret: Secret
    org: Name | None = None
    team: Name | None = None
    user: Text | None = None
    routes: tuple[Name, ...] | None = None
    direct: bool = False
    tags: dict[Name, str] = {}
    limits: Limits = Limits()
    budget: Budget | None = None
    budgets: tuple[Budget, ...] = ()
    endpoints: tuple[Text, ...] | None = None
    dialects: tuple[Text, ...] | None = None
    networks: tuple[Network, ...] | None = None
    expires_at: Moment | None = None
    max_tokens: Count | None = None
    previous: tuple[PreviousSecret, ...] = ()
    priority: Priority = "normal"
    require: Require | None = None
