"""The whole configuration document."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from penstock.config.document.alerts import Alerts
from penstock.config.document.auth import Auth
from penstock.config.document.fields import Count, Duration, Name
from penstock.config.document.guards import Guard
from penstock.config.document.health import Health
from penstock.config.document.limits import SessionCeiling
from penstock.config.document.providers import Deployment, Provider
from penstock.config.document.routes import Route
from penstock.config.document.server import Journal, Server
from penstock.config.document.tenants import Org, VirtualKey
from penstock.config.document.vault import Vault


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds where nothing more special is said.

    Attributes:
        on_unknown_price: `refuse` turns away a model without a price where a budget applies, and flags it
            elsewhere; `flag` serves and flags it everywhere.
        on_unsupported: What happens to a parameter that a target does not know.
        provider_order: Which provider serves a bare model name that several have.
        max_output_tokens: Cap on the output that a request may ask for.
        session: How much one session may use; without it 200 requests and 20 dollars.
        responses_store: `on` keeps answers of the Responses API, so that `previous_response_id` and
            `GET /v1/responses/{id}` work: at the vendor where it has that API, else here, sealed and for 30
            days. `off` sends `store: false` and keeps nothing.
        facts_max_age: How old the verification of a fact may be before it is warned about.
        on_accounts_away: What holds for rates and simultaneous requests while what several gateways share
            cannot be asked for: `fail_open` goes on with this gateway's share of each limit, `fail_closed`
            refuses. Limits may say something else for themselves, and budgets always do: they refuse what is
            not leased, unless they say `fail_open`.
        health: When targets are left alone because of how they do.
    """

    on_unknown_price: Literal["flag", "refuse"] = "refuse"
    on_unsupported: Literal["map", "drop", "error"] = "map"
    provider_order: tuple[Name, ...] = ()
    max_output_tokens: Count = 8192
    session: SessionCeiling = SessionCeiling(requests=200, usd=Decimal(20))
    responses_store: Literal["on", "off"] = "on"
    facts_max_age_s: Duration = msgspec.field(default=180 * 86_400, name="facts_max_age")
    on_accounts_away: Literal["fail_open", "fail_closed"] = "fail_open"
    health: Health = Health()


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that `penstock.yaml` says.

    Attributes:
        version: The format's version.
        server: Addresses, limits and state of the processes.
        journal: How the record of what happened is kept.
        auth: Who is let in, and how.
        defaults: What holds where nothing more special is said.
        providers: Who answers, by name.
        deployments: Single models with their own price and parameters, by name.
        guards: What looks at requests and answers, by name.
        orgs: Organisations by name.
        routes: The names that clients ask for.
        keys: Virtual keys.
        vault: Where `${vault:…}` is fetched from.
        alerts: Who is told when something is wrong.
    """

    version: Literal[1] = 1
    server: Server = Server()
    journal: Journal = Journal()
    auth: Auth = Auth()
    defaults: Defaults = Defaults()
    providers: dict[Name, Provider] = {}
    deployments: dict[Name, Deployment] = {}
    guards: dict[Name, Guard] = {}
    orgs: dict[Name, Org] = {}
    routes: dict[Name, Route] = {}
    keys: tuple[VirtualKey, ...] = ()
    vault: Vault = Vault()
    alerts: Alerts = Alerts()
