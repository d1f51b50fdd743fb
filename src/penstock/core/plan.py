"""The Plan: configuration compiled into what a request needs, immutable, swapped whole by a reload.

State (windows, budgets, pools, learnt ratios) is kept elsewhere, under the ids that stand here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from penstock.core.allowance import AccountRule, SessionRule
from penstock.core.cache_plan import CachePlan
from penstock.core.compress_rule import CompressRule
from penstock.core.credentials import Signing
from penstock.core.evaluation import Evaluation
from penstock.core.exchange import Subject
from penstock.core.fair_queue import NORMAL
from penstock.core.health_rules import DEFAULT_RULE, HealthRule, Place
from penstock.core.losses import OnUnsupported
from penstock.core.policy import PolicyNode
from penstock.core.price_book import PriceBook
from penstock.core.profile import ProfileRow
from penstock.core.requirements import Need, Requirement
from penstock.core.retry import RetryRule
from penstock.core.screen_plan import ScreenPlan
from penstock.core.structured import StructuredRule
from penstock.core.target import Target
from penstock.core.token_claims import Tenant, TokenIssuer


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds by phase; `first_event_s` and `idle_s` apply to streams."""

    connect_s: float = 5.0
    first_event_s: float = 120.0
    idle_s: float = 60.0
    total_s: float = 600.0


NO_CEILING = SessionRule()


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """What a client asks for by name. `keeps_responses`: an answer may be asked for, or gone on from, later.

    `resumes`: a stream that breaks goes on at another target. `skips`: targets that are closed just now are
    passed over, `max_slow` of them at most for being slow only. `structured`: answers must have the form
    that was asked for. `screen` and `cache`: its guards and its cache. `evals`: how answers are judged;
    `cohort`: the tag by whose values scores are told apart. `compress`: prompts are shortened.
    """

    name: str
    policy: PolicyNode
    retry: RetryRule = field(default_factory=RetryRule)
    timeouts: Timeouts = field(default_factory=Timeouts)
    required_tags: frozenset[str] = frozenset()
    success: frozenset[str] = frozenset({"not_error"})
    keeps_responses: bool = True
    session: SessionRule | None = None
    rank: int | None = None
    requires: Requirement | None = None
    skips: bool = True
    max_slow: float = 0.5
    mirror: Mirror | None = None
    resumes: bool = False
    structured: StructuredRule | None = None
    compress: CompressRule | None = None
    screen: ScreenPlan | None = None
    cache: CachePlan | None = None
    evals: Evaluation | None = None
    cohort: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Mirror:
    """Copies of a route's requests. `route` leads to the candidate; `most`: how many are under way at once."""

    route: Route
    percent: float
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """A configured provider: the template of its targets, its catalogue name, what its models take.

    `free`: its credential is a tenant's own, and the vendor bills that tenant.
    """

    name: str
    kind: str
    template: Target
    price_id: str | None = None
    profiles: tuple[ProfileRow, ...] = ()
    free: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """What a key's organisation, team and itself bring to routing; `id` is unique within a Plan.

    `own` has the tenant's own credentials by the provider's name: providers that serve nobody else.
    """

    id: str
    needs: tuple[Need, ...] = ()
    own: dict[str, Provider] = field(default_factory=dict[str, Provider])


@dataclass(frozen=True, slots=True, eq=False)
class SourceNetwork:
    """Addresses of IP `version` whose bits under `mask` are `address`."""

    version: int
    address: int
    mask: int


@dataclass(frozen=True, slots=True, eq=False)
class KeyBounds:
    """What a key is good for. None, and no networks, bound nothing; `max_tokens`: output tokens per request."""

    endpoints: frozenset[str] | None = None
    dialects: frozenset[str] | None = None
    networks: tuple[SourceNetwork, ...] = ()
    expires_ms: int | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VirtualKey:
    """A key that we issued; only the SHA-256 of its secret is known here. `accounts`: whose rules bind it.

    `rank`: its place in queues, before or behind others.
    """

    id: str
    secret_hash: bytes = field(repr=False)
    subject: Subject
    routes: frozenset[str] | None = None
    direct: bool = False
    tags: dict[str, str] = field(default_factory=dict[str, str])
    accounts: tuple[str, ...] = ()
    rank: int = NORMAL
    scope: Scope | None = None
    bounds: KeyBounds | None = None


@dataclass(frozen=True, slots=True)
class Throttle:
    """What binds one user or key until a moment, as an account of its own; `why` is what they are told."""

    name: str
    account: str
    until_ms: int
    why: str = ""
    downgrade_to: str = ""


class TokenKeys(Protocol):
    """Knows tokens (JWT) that clients send instead of a virtual key's secret."""

    def key_of(self, token: bytes, digest: bytes, now_ms: int) -> VirtualKey | None:
        """The key that a token is, None for what is no token. Raises Refusal. `digest`: its SHA-256."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything a request needs to know. `direct_open`: no routes are configured, so models may be named.

    `accounts`: what bounds them, by id. `users` (by `org/user`, or `org/*` for each user) and `tag_rules` (by
    organisation, name and value, or `*` for each value) bind requests that say who or what they are for.
    `weights` in queues, by account, are 1 where nothing is said.
    `own` has the providers with tenants' own credentials, by names that clients cannot say. `region` is where
    this gateway runs, as far as it was told.
    `trusted_proxies`: who is believed about clients' addresses. `issuers` of tokens by their `iss`,
    `tenants` that tokens can be for by organisation and team, `tokens`: who knows tokens. `throttles` by whom
    they bind: `ORG/user:NAME` or `ORG/key:NAME`.
    `places` says of targets where they are and when they are left alone; `health` is the rule of all others.
    """

    revision: str
    routes: dict[str, Route]
    deployments: dict[str, Target]
    providers: dict[str, Provider]
    provider_order: tuple[str, ...]
    keys: dict[bytes, VirtualKey]
    direct_open: bool
    prices: PriceBook
    refuse_unpriced: bool = False
    on_unsupported: OnUnsupported = "map"
    max_output_tokens: int | None = None
    direct_retry: RetryRule = field(default_factory=RetryRule)
    direct_timeouts: Timeouts = field(default_factory=Timeouts)
    keeps_responses: bool = True
    accounts: dict[str, AccountRule] = field(default_factory=dict[str, AccountRule])
    users: dict[str, AccountRule] = field(default_factory=dict[str, AccountRule])
    tag_rules: dict[str, dict[str, dict[str, AccountRule]]] = field(
        default_factory=dict[str, dict[str, dict[str, AccountRule]]]
    )
    session: SessionRule = NO_CEILING
    weights: dict[str, float] = field(default_factory=dict[str, float])
    own: dict[str, Provider] = field(default_factory=dict[str, Provider])
    region: str = ""
    trusted_proxies: tuple[SourceNetwork, ...] = ()
    issuers: dict[str, TokenIssuer] = field(default_factory=dict[str, TokenIssuer])
    tenants: dict[tuple[str, str], Tenant] = field(default_factory=dict[tuple[str, str], Tenant])
    tokens: TokenKeys | None = None
    throttles: dict[str, tuple[Throttle, ...]] = field(default_factory=dict[str, tuple[Throttle, ...]])
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    health: HealthRule = DEFAULT_RULE

    def signings(self) -> list[Signing]:
        """How requests are signed, those with tenants' own credentials included."""
        providers = (*self.providers.values(), *self.own.values())
        found = [provider.template.signing for provider in providers]
        return [each for each in found if each is not None]
