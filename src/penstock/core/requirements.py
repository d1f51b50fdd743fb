"""What is known of how a target treats data, what is required of it, and whether the one meets the other.

Facts are values with their source; what is not known is None, and never meets a requirement. A requirement of
one level stands beside those of the others: a target must meet each of them, so that the strictest wins without
anybody having to compute it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from penstock.core.patterns import matched, matches

Rule = Literal["residency", "region", "retention_days", "trains_on_data", "certified", "tier"]
RULES: tuple[Rule, ...] = ("residency", "region", "retention_days", "trains_on_data", "certified", "tier")
# What facts may differ by: a vendor's endpoints, as far as they keep data in ways of their own.
ENDPOINTS = (
    "chat", "responses", "embeddings", "rerank", "moderations",
    "images", "audio", "videos", "files", "batches",
)  # fmt: skip
# These keep what they are given by nature: what a provider's facts say of retention is not meant for them.
STORING = frozenset({"videos", "files", "batches"})
# https://european-union.europa.eu/principles-countries-history/eu-countries_en, as ISO 3166-1 alpha-2
_EU = frozenset(
    {
        "at", "be", "bg", "cy", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hr", "hu",
        "ie", "it", "lt", "lu", "lv", "mt", "nl", "pl", "pt", "ro", "se", "si", "sk",
    }
)  # fmt: skip
_WITHIN: dict[str, frozenset[str]] = {"eu": _EU, "eea": _EU | {"eu", "is", "li", "no"}}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a fact is known from, and the day (ISO 8601) on which it was last checked; empty where unknown."""

    source: str = ""
    verified: str = ""
    url: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.source, self.verified) if part)


@dataclass(frozen=True, slots=True)
class Facts:
    """How data is treated. `residency`: every place where it may be kept; `said`: the source of each fact."""

    residency: frozenset[str] | None = None
    region: str | None = None
    retention_days: int | None = None
    trains_on_data: bool | None = None
    certified: frozenset[str] | None = None
    tier: str | None = None
    said: Mapping[str, Provenance] = field(default_factory=dict[str, Provenance])

    def known(self) -> Iterator[tuple[Rule, object]]:
        """The facts that are known."""
        for rule in RULES:
            value: object = getattr(self, rule)
            if value is not None:
                yield rule, value

    def without(self, rules: Iterable[str]) -> Facts:
        """The facts with some of them unknown."""
        unknown: dict[str, Any] = dict.fromkeys(rules)
        return replace(self, **unknown) if unknown else self


UNKNOWN = Facts()


def overlaid(base: Facts, over: Facts) -> Facts:
    """`over`, with its gaps filled from `base`."""
    said: dict[str, Any] = dict(over.known())
    sources = {**base.said, **{rule: over.said[rule] for rule in said if rule in over.said}}
    return replace(base, **{**said, "said": sources})


@dataclass(frozen=True, slots=True, eq=False)
class Lever:
    """A parameter of a vendor's API that brings a fact about for the requests that carry it.

    Attributes:
        rule: The fact.
        value: What it then is.
        endpoints: Where the parameter exists.
        settings: Members of the request body, as JSON text.
        provenance: How we know.
        forced_below: For `retention_days`: the vendor's default keeps answers for that long, so that a
            shorter requirement always sets the parameter, whatever a contract says.
        without: Patterns of models that do not.
        factor: What the vendor multiplies its price by, in millionths.
    """

    rule: Rule
    value: object
    endpoints: tuple[str, ...]
    settings: Mapping[str, bytes]
    provenance: Provenance
    forced_below: int | None = None
    without: tuple[str, ...] = ()
    factor: int = 1_000_000

    def fits(self, endpoint: str, models: tuple[str, ...]) -> bool:
        """Whether requests for this model at this endpoint can carry it."""
        return endpoint in self.endpoints and not matched(self.without, models)


@dataclass(frozen=True, slots=True, eq=False)
class Handling:
    """How a target's vendor treats data: facts by endpoint, and what parameters can change.

    `names`: what provider lists may call it. `vague`: patterns of models with the facts that are then unknown.
    """

    names: tuple[str, ...] = ()
    facts: Facts = UNKNOWN
    by_endpoint: Mapping[str, Facts] = field(default_factory=dict[str, Facts])
    levers: tuple[Lever, ...] = ()
    vague: tuple[tuple[str, tuple[Rule, ...]], ...] = ()

    def at(self, endpoint: str, models: tuple[str, ...] = ()) -> Facts:
        """The facts of one endpoint, for a model."""
        facts = self.facts.without(("retention_days",)) if endpoint in STORING else self.facts
        own = self.by_endpoint.get(endpoint)
        if own is not None:
            facts = overlaid(facts, own)
        for pattern, rules in self.vague:
            if matched((pattern,), models):
                facts = facts.without(rules)
        return facts


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must hold; a rule that is None or empty does not apply.

    `allow_*` None allows everything, and an empty one nothing.
    """

    residency: str | None = None
    region: str | None = None
    retention_days: int | None = None
    trains_on_data: Literal[False] | None = None
    certified: frozenset[str] = frozenset()
    tier: str | None = None
    allow_providers: tuple[str, ...] | None = None
    deny_providers: tuple[str, ...] = ()
    allow_models: tuple[str, ...] | None = None
    deny_models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """A requirement and whose it is, such as `organisation 'acme'`."""

    level: str
    requirement: Requirement


@dataclass(frozen=True, slots=True)
class Unmet:
    """Why a target may not be used."""

    level: str
    rule: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.level} requires {self.rule} {self.wanted}, and {self.found}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a target may be used: `unmet` says why not; `levers` are what must be set so that it may."""

    unmet: Unmet | None = None
    levers: tuple[Lever, ...] = ()


def judge(needs: tuple[Need, ...], handling: Handling, models: tuple[str, ...], endpoint: str) -> Verdict:
    """Whether a target meets every need at an endpoint. `models`: the names by which its model goes."""
    for need in needs:
        listed = _listed(need.requirement, handling.names, models)
        if listed is not None:
            return Verdict(Unmet(need.level, *listed))
    facts = handling.at(endpoint, models)
    levers = [lever for lever in handling.levers if lever.fits(endpoint, models)]
    used: list[Lever] = []
    for rule in RULES:
        wanted = [(need.level, value) for need in needs if (value := _wanted(need, rule)) is not None]
        if not wanted:
            continue
        able = [lever for lever in levers if lever.rule == rule]
        used += [lever for lever in able if any(_forces(lever, value) for _, value in wanted)]
        known: object = getattr(facts, rule)
        missed = next((each for each in wanted if not meets(rule, each[1], known)), None)
        if missed is None:
            continue
        # A parameter makes the fact what it is for everybody: its value has to suit all who ask.
        found = next(
            (each for each in able if all(meets(rule, value, each.value) for _, value in wanted)), None
        )
        if found is None:
            return Verdict(Unmet(missed[0], rule, shown(missed[1]), _found(rule, facts, able)))
        used.append(found)
    return Verdict(None, tuple(dict.fromkeys(used)))


def _wanted(need: Need, rule: Rule) -> object:
    value: object = getattr(need.requirement, rule)
    return None if value == frozenset() else value


def meets(rule: Rule, required: object, known: object) -> bool:
    """Whether a fact meets one rule; what is not known never does."""
    if known is None:
        return False
    if rule == "residency":
        return bool(known) and all(_within(place, str(required)) for place in _texts(known))
    if rule == "certified":
        return _texts(required) <= _texts(known)
    if rule == "retention_days":
        return isinstance(known, int) and isinstance(required, int) and known <= required
    if rule == "region":
        return matches(str(required), str(known))
    return known == required


def _texts(value: object) -> frozenset[str]:
    return cast("frozenset[str]", value)


def _within(place: str, area: str) -> bool:
    return place == area or place in _WITHIN.get(area, ())


def _forces(lever: Lever, required: object) -> bool:
    return lever.forced_below is not None and isinstance(required, int) and required < lever.forced_below


def _listed(
    wanted: Requirement, names: tuple[str, ...], models: tuple[str, ...]
) -> tuple[str, str, str] | None:
    """The allow or deny list that keeps a target out, with what it says."""
    lists = (
        ("providers", wanted.allow_providers, wanted.deny_providers, names),
        ("models", wanted.allow_models, wanted.deny_models, models),
    )
    for what, allow, deny, mine in lists:
        if allow is not None and not matched(allow, mine):
            return f"{what}.allow", shown(allow), f"{mine[0] if mine else 'this one'} is not among them"
        hit = next((pattern for pattern in deny if matched((pattern,), mine)), None)
        if hit is not None:
            return f"{what}.deny", shown(deny), f"{mine[0]} is denied by {hit}"
    return None


def _found(rule: Rule, facts: Facts, levers: list[Lever]) -> str:
    value: object = getattr(facts, rule)
    if value is None:
        if not levers:
            return "that is not known of it"
        return f"the best that its parameters bring is {shown(levers[0].value)} ({levers[0].provenance})"
    return f"it has {shown(value)} ({facts.said.get(rule, Provenance('unknown source'))})"


def shown(value: object) -> str:
    """A fact or a requirement as people write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, frozenset | tuple):
        return f"[{', '.join(sorted(cast('tuple[str, ...]', value)))}]"
    return str(value)


def certificate(name: str) -> str:
    """A certificate's name without what people write differently: `SOC 2` and `soc-2` are `soc2`."""
    return "".join(char for char in name.casefold() if char.isalnum())


_KINDS = {
    "chat": "chat",
    "messages": "chat",
    "generateContent": "chat",
    "converse": "chat",
    "messages.count_tokens": "count",
    "countTokens": "count",
    "responses.input_tokens": "count",
    "responses.compact": "compact",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
}
# Whose facts hold for an endpoint that has none of its own.
_FACTS_OF = {"completions": "chat", "count": "chat", "compact": "responses"}


def kind_of(endpoint: str, *, native: bool) -> str:
    """Which of a vendor's endpoints a client's leads to; `native`: the vendor has it itself, untranslated."""
    if endpoint in ("responses", "completions"):
        return endpoint if native else "chat"
    return _KINDS.get(endpoint) or endpoint.partition(".")[0]


def facts_kind(kind: str) -> str:
    """The endpoint whose facts hold for a kind."""
    return _FACTS_OF.get(kind, kind)
