"""Facts and requirements of the document as core types, what vendors' own pages say included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from penstock.config import document as doc
from penstock.core.requirements import (
    UNKNOWN,
    Facts,
    Handling,
    Provenance,
    Requirement,
    certificate,
    overlaid,
)
from penstock.providers.vendors import VENDORS
from penstock.providers.vendors.handling import DOCUMENTED, LEVERS, VAGUE

CONFIGURED = Provenance("configuration")


def handling_of(name: str, config: doc.Provider) -> Handling:
    """How a provider treats data, by the document, by its address and by what its vendor documents."""
    own_address = at_vendor(config)
    written = facts_of(config.facts)
    base = documented(config.kind, written.tier) if own_address else {}
    shared = overlaid(base.pop("", UNKNOWN), _of_address(config))
    return Handling(
        names=(name, config.kind) if own_address else (name,),
        facts=overlaid(shared, written),
        by_endpoint=_by_endpoint(base, config.facts),
        levers=LEVERS.get(config.kind, ()) if own_address else (),
        vague=VAGUE.get(config.kind, ()),
    )


def deployed(handling: Handling, facts: doc.Facts | None) -> Handling:
    """The same with what is said of one deployment."""
    if facts is None:
        return handling
    over = facts_of(facts)
    by_endpoint = {name: overlaid(each, over) for name, each in handling.by_endpoint.items()}
    by_endpoint |= _by_endpoint(by_endpoint, facts)
    return replace(handling, facts=overlaid(handling.facts, over), by_endpoint=by_endpoint, vague=())


def at_vendor(config: doc.Provider) -> bool:
    """Whether a provider is at its vendor's own address, for which alone the vendor's pages speak."""
    if not config.base_url:
        return True
    host = urlsplit(config.base_url).hostname or ""
    known = urlsplit(VENDORS[config.kind].base_url).hostname or ""
    return bool(known) and "{" not in known and (host == known or host.endswith(f".{known}"))


def documented(kind: str, tier: str | None) -> dict[str, Facts]:
    """What a vendor's pages say for such an account, by endpoint; the empty name holds for all."""
    found: dict[str, Facts] = {}
    for row in DOCUMENTED:
        if kind in row.kinds and row.tier in ("", tier):
            for endpoint in row.endpoints or ("",):
                found[endpoint] = overlaid(found.get(endpoint, UNKNOWN), row.facts())
    return found


def facts_of(config: doc.Facts | doc.EndpointFacts | None, above: Provenance | None = None) -> Facts:
    """What the document says, with its source; `above` is the source where none is given."""
    if config is None:
        return UNKNOWN
    whole = isinstance(config, doc.Facts)
    base = above or Provenance()
    source = Provenance(
        config.source or base.source,
        config.verified.isoformat() if config.verified is not None else base.verified,
        config.url or ("" if config.source else base.url),
    )
    residency, certified = config.residency, config.certified
    facts = Facts(
        residency=_places(residency) if residency is not None and (residency or not whole) else None,
        region=config.region,
        retention_days=config.retention_days,
        trains_on_data=config.trains_on_data,
        certified=_certificates(certified) if certified is not None and (certified or not whole) else None,
        tier=config.tier if isinstance(config, doc.Facts) else None,
    )
    return replace(facts, said={rule: source for rule, _ in facts.known()})


def requirement_of(config: doc.Require | None) -> Requirement | None:
    """A requirement of the document; None where it asks for nothing."""
    if config is None or config == doc.Require():
        return None
    return Requirement(
        residency=config.residency.casefold() if config.residency is not None else None,
        region=config.region,
        retention_days=config.retention_days,
        trains_on_data=config.trains_on_data,
        certified=_certificates(config.certified),
        tier=config.tier,
        allow_providers=config.providers.allow,
        deny_providers=config.providers.deny,
        allow_models=config.models.allow,
        deny_models=config.models.deny,
    )


def _of_address(config: doc.Provider) -> Facts:
    if config.region is None:
        return UNKNOWN
    return Facts(region=config.region, said={"region": CONFIGURED})


def _by_endpoint(base: dict[str, Facts], config: doc.Facts | None) -> dict[str, Facts]:
    """What differs by endpoint: the vendor's pages, over them what is written of the provider, then of each."""
    found = dict(base)
    if config is None:
        return found
    whole = facts_of(config)
    found = {name: overlaid(each, whole) for name, each in found.items()}
    above = Provenance(
        config.source or "", config.verified.isoformat() if config.verified else "", config.url or ""
    )
    for name, each in config.endpoints.items():
        found[name] = overlaid(found.get(name, UNKNOWN), facts_of(each, above))
    return found


def _places(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)


def _certificates(names: Iterable[str]) -> frozenset[str]:
    return frozenset(certificate(name) for name in names)
