"""Routes: the names that clients ask for, and everything that holds for requests to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from penstock.config.document.fields import (
    Condition,
    Count,
    CountOrNone,
    Duration,
    Name,
    Percent,
    Seconds,
    Share,
    Size,
    Target,
    Text,
    Usd,
)
from penstock.config.document.guards import RouteGuards
from penstock.config.document.health import RouteHealth
from penstock.config.document.limits import Budget, Limits, Priority, SessionCeiling, Window
from penstock.config.document.policy import Policy
from penstock.config.document.structured import Structured


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tries on one target before the policy goes on.

    Attributes:
        attempts: All tries on one target, the first included.
        backoff_s: Upper end of the first random wait, in seconds; it doubles with each further try.
        max_backoff_s: Longest wait, in seconds; a longer `Retry-After` ends the tries on that target.
        max_retry_share: Retries as a share of the route's first attempts over 10 s (at least 3 are allowed).
    """

    attempts: Annotated[int, Meta(ge=1, le=10)] = 2
    backoff_s: Seconds = 0.25
    max_backoff_s: Seconds = 8.0
    max_retry_share: Share = 0.2


class Timeouts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long each phase of an attempt may take, in seconds.

    Attributes:
        connect_s: Until the connection stands, TLS included.
        first_event_s: Until the first content of a stream.
        idle_s: Between two pieces of a stream.
        total_s: The whole attempt.
    """

    connect_s: Seconds = 5.0
    first_event_s: Seconds = 120.0
    idle_s: Seconds = 60.0
    total_s: Seconds = 600.0


class Slo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast the route should be: a class, or explicit numbers.

    Attributes:
        class: `chat` (800 ms to the first token), `voice` (300 ms), `completion` (200 ms) or `batch`.
        ttft_ms: Milliseconds to the first token.
        itl_ms: Milliseconds between tokens.
        total_ms: Milliseconds for the whole answer.
    """

    traffic: Literal["chat", "voice", "completion", "batch"] | None = msgspec.field(default=None, name="class")
    ttft_ms: Count | None = None
    itl_ms: Count | None = None
    total_ms: Count | None = None


class NameRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names that may be used, or may not; `*` in a name stands for anything.

    Attributes:
        allow: Only these; without it, all.
        deny: None of these, whatever else allows them.
    """

    allow: tuple[Text, ...] | None = None
    deny: tuple[Text, ...] = ()


class Require(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must hold of a target to be used; what is not known of one does not hold.

    The requirements of an organisation, a team, a key and a route are met together.

    Attributes:
        residency: Where data must stay, such as `eu` (which each of its countries meets).
        region: Where models must run; `*` stands for anything, as in `eu-*`.
        retention_days: The longest time in days for which a provider may keep data. Below 30, Penstock keeps
            no responses either.
        trains_on_data: `false` refuses providers that train on data.
        certified: Certificates and agreements that the provider must have, such as `[baa, soc2]`.
        tier: The kind of account that must be used.
        providers: Which providers, by their names here or by their kinds at their vendors' own addresses.
        models: Which models, by deployment, by `provider/model` or by the vendor's name alone.
    """

    residency: Text | None = None
    region: Text | None = None
    retention_days: CountOrNone | None = None
    trains_on_data: Literal[False] | None = None
    certified: tuple[Text, ...] = ()
    tier: Text | None = None
    providers: NameRules = NameRules()
    models: NameRules = NameRules()


class RouteTags(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What clients must say about their requests.

    Attributes:
        required: Tags without which a request is refused.
    """

    required: tuple[Name, ...] = ()


class ExactCache(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answers for requests that are the same.

    Attributes:
        ttl_s: Seconds for which an answer may be used again.
        stale_if_error_s: Seconds beyond that for which it answers where no target does, marked degraded.
    """

    ttl_s: Count
    stale_if_error_s: Count | None = None


class SemanticCache(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answers for requests that mean the same; see docs/semantic-cache.md.

    Attributes:
        threshold: Least similarity, from 0 to 1, or `auto`: learnt for each namespace from answers that are
            compared, so that at most the share `error` of hits is wrong.
        error: The share of wrong hits that `threshold: auto` may allow.
        verify: What else must speak for a hit: `words` compares the two questions word by word (numbers,
            names, negation, opposites, direction, …), `strict` does so with less trust, `off` leaves it to
            similarity.
        shadow: Look and learn without serving: the notes `cache_shadow` and `cache_similarity` of the ledger
            say what would have been.
        deadline_ms: How long a look-up may take; a later answer is a miss.
        ttl_s: Seconds for which an answer may be used again.
    """

    threshold: Share | Literal["auto"] = 0.65
    error: Annotated[float, Meta(gt=0, le=0.2)] = 0.01
    verify: Literal["words", "strict", "off"] = "words"
    shadow: bool = False
    deadline_ms: Annotated[int, Meta(ge=1, le=5_000)] = 100
    ttl_s: Count | None = None


class RouteCache(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which answers may be used again, and by whom.

    Attributes:
        exact: Answers for requests that are the same.
        semantic: Answers for requests that mean the same.
        scope: Who shares them. `global` is everybody, over the borders of organisations: for answers that
            hold nobody's data; `penstock check` warns.
        when: Only requests for which this holds are looked up or kept.
        skip: Shipped rules, by the last turn of the user. What is asked of the `time` (today, latest, …) is
            not kept at all; what is `personal` (my order, …) is kept for that user alone, and not where no
            user is named.
        also: What is kept besides whole answers in text: `tool_calls`, `truncated` (the output bound was
            reached), `refused` (the model declined), `blocked` (the vendor withheld the rest).
        wait_s: How long a request waits for the same one that is under way; 0 sends each by itself.
        max_entry_bytes: Longer answers are not kept.
    """

    exact: ExactCache | None = None
    semantic: SemanticCache | None = None
    scope: Literal["org", "team", "user", "key", "global"] = "org"
    when: Condition | None = None
    skip: tuple[Literal["time", "personal"], ...] = ("time", "personal")
    also: tuple[Literal["tool_calls", "truncated", "refused", "blocked"], ...] = ()
    wait_s: Annotated[float, Meta(ge=0, le=600)] = 30.0
    max_entry_bytes: Size = 1_000_000


class Success(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts as a successful answer: the quality gate of cost per success.

    Attributes:
        all: Every one of these must hold: `not_error` (the client got a complete answer), `finish` (it ended
            by itself: `stop` or a tool call, not cut by length or filter), `schema` (it has the form that was
            asked for, where the route looks), `not_blocked` (no guard withheld it).
    """

    all: tuple[Name, ...] = ("not_error",)


class EvalBudget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What judging a route's answers may cost; beyond it none is judged.

    Attributes:
        usd: Dollars.
        window: The time in which at most that sum is spent.
    """

    usd: Usd
    window: Window = "day"


class Evals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Scores of a route's answers: who judges them, and how long that counts (docs/scores.md).

    Attributes:
        judge: The route, deployment or `provider/model` that judges answers; without it nobody does.
        sample: Share of answers that are judged, from 0 to 1.
        score: The name of the judge's score.
        criteria: What the judge rates, in words; the prompt asks for a number from 0 to 1.
        budget: What judging may cost.
        concurrency: How many judgements one gateway has under way at most; what is beyond is not made.
        timeout_s: Seconds that a judge may take.
        cohort: The tag by whose values scores are told apart, besides those of everybody.
        half_life: After so long a judgement counts half as much.
        feedback: Names of scores that applications send to `/v1/feedback`, so that floors may name them.
    """

    judge: Text | None = None
    sample: Share = 0.01
    score: Name = "quality"
    criteria: Text = "how well the answer does what the user asked for: right, complete, and nothing made up"
    budget: EvalBudget = EvalBudget(usd=Decimal(1))
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 4
    timeout_s: Seconds = 60.0
    cohort: Name | None = None
    half_life: Duration = 21_600
    feedback: tuple[Name, ...] = ()


class Mirror(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sending a copy of some requests to another target, after the answer.

    Attributes:
        to: The target.
        percent: Share of requests in per cent.
        concurrency: How many copies one gateway has under way at most; what is beyond is not made.
    """

    to: Target
    percent: Percent
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 8


class DrillPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A failover drill by schedule: live traffic goes to a fallback for a while (docs/drills.md).

    Attributes:
        to: The fallback, one of the policy's targets.
        percent: Share of those who ask, in per cent, 5 at most.
        for: How long, such as `15m`.
        every: How long after the last drill the next one begins, such as `30d`.
        max_cost_ratio: How many times the usual cost of a request is borne.
        max_slowdown: How many times the usual time to a whole answer is borne.
    """

    to: Target
    percent: Annotated[float, Meta(gt=0, le=5)] = 1.0
    for_s: Duration = msgspec.field(default=900, name="for")
    every: Duration = 2_592_000
    max_cost_ratio: Annotated[float, Meta(gt=1, le=100)] = 2.0
    max_slowdown: Annotated[float, Meta(gt=1, le=100)] = 3.0


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name that clients send as `model`, and what happens then.

    Attributes:
        policy: Which targets are tried, as a tree.
        retry: Tries on one target.
        health: Which targets are passed over because of how they do.
        timeouts: How long each phase may take.
        slo: How fast the route should be.
        require: Facts that providers must have.
        tags: What clients must say.
        cache: Which answers may be used again.
        guards: What looks at requests and answers.
        success: What counts as a successful answer.
        evals: Scores of answers, and who judges them after the fact.
        mirror: Copies of requests to another target.
        structured: What happens to answers that do not have the form that was asked for; without it, nothing.
        drill: Failover drills by schedule.
        prompt_cache: Whether vendors are told what of a prompt to cache: `auto` as soon as prefixes come back
            often enough to earn what writing them costs, `always` at once. Clients that say it themselves are
            left alone.
        prompt_cache_ttl: For how long vendors that can choose keep it.
        compress: Whether prompts are shortened: `lossless` takes out what can be put back to the letter,
            `lossy` leaves out of long material what does not bear on the question, too.
        compress_keep: What share of long material `lossy` keeps.
        capture: What of prompts and answers is kept.
        on_break: What happens when a stream breaks after its first content: `error` ends it, `resume` goes
            on elsewhere.
        responses_store: Whether answers of the Responses API are kept; without it,
            `defaults.responses_store` says.
        limits: How much the route is used.
        budget: How much is spent on it.
        budgets: More budgets, with other windows.
        session: How much one session may use; without it, `defaults.session` says.
        priority: The place of its requests in queues; without it, the key's.
        owner: Who answers for the route, such as a team's address; for its card.
        purpose: What it is for; for its card.
    """

    policy: Policy
    retry: Retry = Retry()
    health: RouteHealth = RouteHealth()
    timeouts: Timeouts = Timeouts()
    slo: Slo | None = None
    require: Require | None = None
    tags: RouteTags = RouteTags()
    cache: RouteCache | None = None
    guards: RouteGuards = RouteGuards()
    success: Success = Success()
    evals: Evals | None = None
    mirror: Mirror | None = None
    structured: Structured | None = None
    drill: DrillPlan | None = None
    prompt_cache: Literal["off", "auto", "always"] = "off"
    prompt_cache_ttl: Literal["5m", "1h"] = "5m"
    compress: Literal["off", "lossless", "lossy"] = "off"
    compress_keep: Annotated[float, Meta(ge=0.1, le=0.95)] = 0.5
    capture: Literal["none", "redacted", "full"] = "none"
    on_break: Literal["error", "resume"] = "error"
    responses_store: Literal["on", "off"] | None = None
    limits: Limits = Limits()
    budget: Budget | None = None
    budgets: tuple[Budget, ...] = ()
    session: SessionCeiling | None = None
    priority: Priority | None = None
    owner: Text | None = None
    purpose: Text | None = None
