"""What organisations, teams and keys bring to routing: their requirements, and their own credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from penstock.compile.handling import requirement_of
from penstock.config import document as doc
from penstock.core.ids import OWN_MARK
from penstock.core.plan import Provider, Scope
from penstock.core.requirements import Need

_NO_ORG = doc.Org()
_NO_TEAM = doc.Team()


@dataclass(frozen=True, slots=True)
class OwnAccess:
    """One tenant's own credential: the provider as it is for that tenant alone."""

    name: str
    provider: str
    config: doc.Provider
    free: bool
    path: str


def own_accesses(document: doc.Document) -> Iterator[OwnAccess]:
    """Every tenant's own credentials, each with a name that nobody else's has."""
    for org, config in document.orgs.items():
        yield from _accesses(document, config.credentials, org, f"orgs.{org}")
        for team, each in config.teams.items():
            owner = f"{org}{OWN_MARK}{team}"
            yield from _accesses(document, each.credentials, owner, f"orgs.{org}.teams.{team}")


def _accesses(
    document: doc.Document, credentials: Mapping[str, doc.Credential], owner: str, path: str
) -> Iterator[OwnAccess]:
    for name, credential in credentials.items():
        provider = document.providers.get(name)
        if provider is not None:
            config = with_credential(provider, credential)
            free = credential.cost == "outside"
            yield OwnAccess(f"{name}{OWN_MARK}{owner}", name, config, free, f"{path}.credentials.{name}")


def with_credential(provider: doc.Provider, credential: doc.Credential) -> doc.Provider:
    """A provider opened by another credential.

    What its contract says is not said of the other's: only facts that stand in its documentation are kept.
    """
    facts = credential.facts
    if facts is None and provider.facts is not None:
        facts = _documented_only(provider.facts)
    return msgspec.structs.replace(
        provider,
        api_key=credential.api_key,
        aws=credential.aws,
        google=credential.google,
        entra=credential.entra,
        headers=credential.headers,
        facts=facts,
    )


def _documented_only(facts: doc.Facts) -> doc.Facts | None:
    endpoints = {
        name: each for name, each in facts.endpoints.items() if (each.source or facts.source) == "documentation"
    }
    if facts.source == "documentation":
        return msgspec.structs.replace(facts, endpoints=endpoints, tier=None)
    if not endpoints:
        return None
    return doc.Facts(endpoints=endpoints)


class Scopes:
    """The scope of each key; keys of one team share theirs, unless they require something themselves."""

    def __init__(self, document: doc.Document, planned: Callable[[OwnAccess], Provider]) -> None:
        self._document = document
        self.own: dict[str, Provider] = {}
        self._by_owner: dict[str, dict[str, Provider]] = {}
        for access in own_accesses(document):
            provider = replace(planned(access), free=access.free)
            self.own[access.name] = provider
            self._by_owner.setdefault(access.name.partition(OWN_MARK)[2], {})[access.provider] = provider
        self._made: dict[tuple[str, str], Scope | None] = {}

    def of(self, org: str, team: str, key: str = "", require: doc.Require | None = None) -> Scope | None:
        """What holds for a key; None where nothing does."""
        shared = self._made.get((org, team))
        if (org, team) not in self._made:
            shared = self._made[org, team] = self._team(org, team)
        own = requirement_of(require)
        if own is None:
            return shared
        need = Need(f"key {key!r}", own)
        if shared is None:
            return Scope(f"{org}{OWN_MARK}{team}{OWN_MARK}{key}", (need,))
        return replace(shared, id=f"{shared.id}{OWN_MARK}{key}", needs=(*shared.needs, need))

    def _team(self, org: str, team: str) -> Scope | None:
        above = self._document.orgs.get(org, _NO_ORG)
        below = above.teams.get(team, _NO_TEAM)
        needs: list[Need] = []
        for level, config in ((f"organisation {org!r}", above.require), (f"team {team!r}", below.require)):
            requirement = requirement_of(config)
            if requirement is not None:
                needs.append(Need(level, requirement))
        own = {**self._by_owner.get(org, {}), **self._by_owner.get(f"{org}{OWN_MARK}{team}", {})}
        if not needs and not own:
            return None
        return Scope(f"{org}{OWN_MARK}{team}", tuple(needs), own)
