"""The journal's events: what happened to one client request (the exchange) and each try upstream (the attempt).

The journal is the only thing that the gateway writes about a request; ledger, metrics and traces are
projections of these four records. They are array-like, so a field may be appended (with a default) but never
removed or moved: old segments must stay readable.

Money is an integer of nano-dollars, or None where no price is known (never 0 in silence). Durations are
microseconds of a monotonic clock, instants are milliseconds since the Unix epoch.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from penstock.core.alerts import Alert
from penstock.core.drills import DrillReport
from penstock.core.usage import NO_USAGE, Usage, UsageSource

Outcome = Literal["ok", "error", "cancelled", "interrupted"]


# A note of an exchange: the target that its policy wanted before all others, where another one answered.
FALLBACK_FROM = "fallback_from"
# Another: where in its policy the target stands that answered.
STAGE = "stage"
# A note: the value of the tag by which the route tells cohorts apart.
COHORT = "cohort"


class Subject(msgspec.Struct, frozen=True, array_like=True):
    """On whose account a request runs. Names, not secrets; empty where the level is not set."""

    org: str = ""
    team: str = ""
    user: str = ""
    key: str = ""


class RequestFacts(msgspec.Struct, frozen=True, array_like=True):
    """What the client asked for, known at admission and the same for all attempts.

    `purpose` is empty for a client's own request; a request that the gateway makes says what for (`mirror`,
    `judge`, …), and `parent` is the id of the one for whose sake it is made, empty where there is none.
    """

    request_id: str
    ts_ms: int
    dialect: str
    endpoint: str
    route: str
    model: str
    stream: bool = False
    session: str = ""
    task: str = ""
    prompt_version: str = ""
    feature: str = ""
    tags: dict[str, str] = {}
    purpose: str = ""
    parent: str = ""


class AttemptOpened(msgspec.Struct, frozen=True, array_like=True, tag="ao"):
    """An attempt is about to send its first upstream byte; its reservation is held from here on.

    `reserved` is what is charged, as *estimated*, if no settlement ever follows (the process died).
    `service_tier` is the one asked for, empty where none is named.
    """

    request: RequestFacts
    subject: Subject
    index: int
    at_ms: int
    target: str
    model: str
    reserved_nanousd: int | None
    reserved: Usage
    price_card: str = ""
    service_tier: str = ""


class AttemptFacts(msgspec.Struct, frozen=True, array_like=True):
    """How one attempt ended. `index` counts from 1 within its exchange.

    `cause` is empty for a success, else the low-cardinality reason (`status_429`, `connect_timeout`, …).
    `service_tier` is the one that the cost stands on: what the vendor says it used, else what was asked for.
    `reported_cost_nanousd` is what the vendor's answer says that it bills, None where it does not say. It
    stands beside `cost_nanousd`, which is always computed from a price card.
    """

    index: int
    target: str
    model: str
    opened_ms: int
    outcome: Outcome
    cause: str = ""
    status: int = 0
    usage: Usage = NO_USAGE
    usage_source: UsageSource = "reported"
    cost_nanousd: int | None = None
    reserved_nanousd: int | None = None
    price_card: str = ""
    model_answered: str = ""
    finish_reason: str = ""
    upstream_request_id: str = ""
    connect_us: int = 0
    first_byte_us: int = 0
    total_us: int = 0
    service_tier: str = ""
    reported_cost_nanousd: int | None = None


class AttemptSettled(msgspec.Struct, frozen=True, array_like=True, tag="as"):
    """An attempt that was not the exchange's last one ended; the last one travels in ExchangeSettled."""

    request: RequestFacts
    subject: Subject
    attempt: AttemptFacts


class ExchangeSettled(msgspec.Struct, frozen=True, array_like=True, tag="xs"):
    """The exchange is over. `attempts` has *all* attempts, in order, the ones settled before included.

    `success` is the route's quality gate; `attempts` is empty when no target was ever tried.
    `overhead_us` is `total_us` minus the time spent waiting for upstreams. `notes`: what the route's policy
    decided that is worth telling apart later, such as the arm of a comparison.
    """

    request: RequestFacts
    subject: Subject
    attempts: list[AttemptFacts]
    ended_ms: int
    outcome: Outcome
    status: int
    code: str = ""
    success: bool = False
    cache: str = "miss"
    ttft_us: int = 0
    total_us: int = 0
    overhead_us: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    notes: dict[str, str] = {}


class AdmissionRefused(msgspec.Struct, frozen=True, array_like=True, tag="ar"):
    """A request was turned away before any attempt; it costs nothing and is not an exchange."""

    request: RequestFacts
    subject: Subject
    status: int
    code: str


class AlertRaised(msgspec.Struct, frozen=True, array_like=True, tag="al"):
    """Somebody noticed something. The worker decides whether it is news, and tells people (core/alerts.py)."""

    alert: Alert


class Judged(msgspec.Struct, frozen=True, array_like=True, tag="jd"):
    """Somebody said how good an answer was, or how a session or a task ended (core/judging.py).

    `subject` is who said it; it counts only for what belongs to its organisation, and to its team if it has
    one, which the worker finds out. `value` lies between 0 and 1, None where only words were said. `source` is
    `feedback` or `judge`; of a judge's, `route`, `target` and `cohort` are known, the others' are looked up.
    """

    id: str
    at_ms: int
    subject: Subject
    source: str
    name: str
    value: float | None = None
    request_id: str = ""
    session: str = ""
    task: str = ""
    label: str = ""
    comment: str = ""
    correction: str = ""
    route: str = ""
    target: str = ""
    cohort: str = ""


class Drilled(msgspec.Struct, frozen=True, array_like=True, tag="dr"):
    """A failover drill has ended in one gateway (core/drills.py); gateways that took part share its `id`.

    `verdict`: `done`, `idle` (nobody was led away), `stopped` (it went wrong, `reason` says how), `killed` by
    somebody, or `interrupted` by an end of the process or another configuration. `planned`: by schedule.
    """

    id: str
    route: str
    target: str
    share: float
    began_ms: int
    ended_ms: int
    verdict: str
    reason: str
    planned: bool
    report: DrillReport


# What happened to a request; every one of them names it.
Event = AttemptOpened | AttemptSettled | ExchangeSettled | AdmissionRefused
# What the ledger has rows of.
Projected = Event | Judged | Drilled
# All that a record may hold.
Entry = Projected | AlertRaised


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One journal record: `seq` counts from 1 within a writer's boot; (boot id, seq) is the event's id."""

    seq: int
    event: Entry
