"""What must agree in facts, requirements and tenants' own credentials."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from penstock.config.access_checks import Found, access_problems, header_problems
from penstock.config.document import Credential, Document, EndpointFacts, Facts, Require
from penstock.config.problem import child, suggestion
from penstock.core.requirements import ENDPOINTS
from penstock.providers.vendors import VENDORS

_CLAIMS = ("residency", "region", "retention_days", "trains_on_data", "certified", "tier")


def policy_problems(document: Document, providers: Collection[str]) -> Iterator[Found]:
    """Everything that is wrong; `providers` are the names that stand in the file, readable or not."""
    for at, facts in written_facts(document):
        yield from _facts(facts, at)
    for at, require in _requirements(document):
        yield from _names(require, at, providers)
    for at, credentials in _credentials(document):
        for name, credential in credentials.items():
            yield from _credential(document, name, credential, child(at, name), providers)


def written_facts(document: Document) -> Iterator[tuple[str, Facts]]:
    """All facts of a document, each with its path."""
    owners = [
        *((child("providers", name), provider.facts) for name, provider in document.providers.items()),
        *((child("deployments", name), each.facts) for name, each in document.deployments.items()),
        *((child(at, name), each.facts) for at, own in _credentials(document) for name, each in own.items()),
    ]
    for at, facts in owners:
        if facts is not None:
            yield child(at, "facts"), facts


def claims(facts: Facts | EndpointFacts) -> list[str]:
    """The facts that are said."""
    said = [name for name in _CLAIMS if getattr(facts, name, None) is not None]
    empty = [name for name in said if isinstance(facts, Facts) and getattr(facts, name) == ()]
    return [name for name in said if name not in empty]


def _facts(facts: Facts, at: str) -> Iterator[Found]:
    yield from _source(facts, Facts(), at)
    if not claims(facts) and not facts.endpoints:
        yield at, "has no effect", "it says nothing; unknown facts need no mapping"
    for name, each in facts.endpoints.items():
        where = child(child(at, "endpoints"), name)
        if name not in ENDPOINTS:
            yield (
                where,
                f"no endpoint {name!r}",
                suggestion(name, ENDPOINTS) or f"known: {', '.join(ENDPOINTS)}",
            )
        if not claims(each):
            yield where, "has no effect", "it says nothing that is different here"
        yield from _source(each, facts, where)


def _source(facts: Facts | EndpointFacts, above: Facts, at: str) -> Iterator[Found]:
    if not claims(facts):
        return
    source = facts.source or above.source
    if source is None:
        yield at, "facts without a source", "add source: contract, or documentation with its url"
    elif source == "documentation" and not (facts.url or (above.url if facts.source is None else None)):
        yield at, "documentation without a page", "add url"
    if facts.verified is None and above.verified is None:
        yield at, "facts without a date", "add verified: the day on which somebody last checked"


def _requirements(document: Document) -> Iterator[tuple[str, Require]]:
    found = [
        *((child("routes", name), route.require) for name, route in document.routes.items()),
        *((child("orgs", name), org.require) for name, org in document.orgs.items()),
        *(
            (child(child(child("orgs", name), "teams"), team), each.require)
            for name, org in document.orgs.items()
            for team, each in org.teams.items()
        ),
        *((child("keys", index), key.require) for index, key in enumerate(document.keys)),
    ]
    for at, require in found:
        if require is not None:
            yield child(at, "require"), require


def _names(require: Require, at: str, providers: Collection[str]) -> Iterator[Found]:
    """A slip of the pen in a list of what is denied would allow it."""
    if require == Require():
        yield at, "has no effect", "it requires nothing"
    known = {*providers, *VENDORS}
    for what in ("allow", "deny"):
        for index, name in enumerate(getattr(require.providers, what) or ()):
            if "*" not in name and name.casefold() not in {each.casefold() for each in known}:
                where = child(child(child(at, "providers"), what), index)
                hint = suggestion(name, known) or "name a provider of this file, or a kind"
                yield where, f"no provider {name!r}", hint


def _credentials(document: Document) -> Iterator[tuple[str, dict[str, Credential]]]:
    for name, org in document.orgs.items():
        at = child("orgs", name)
        yield child(at, "credentials"), org.credentials
        for team, each in org.teams.items():
            yield child(child(child(at, "teams"), team), "credentials"), each.credentials


def _credential(
    document: Document, name: str, credential: Credential, at: str, providers: Collection[str]
) -> Iterator[Found]:
    provider = document.providers.get(name)
    if provider is None:
        if name not in providers:
            yield at, f"no provider {name!r}", suggestion(name, providers) or "name a provider of this file"
        return
    if provider.kind == "simulator":
        yield at, "has no effect", "the simulator takes no credential"
        return
    given = (credential.api_key, credential.aws, credential.google, credential.entra)
    if all(each is None for each in given) and not credential.headers:
        yield at, "an empty credential", "add api_key, or what this kind of provider takes"
    yield from header_problems(credential.headers, at)
    opened = msgspec.structs.replace(
        provider,
        base_url=None,
        **{key: getattr(credential, key) for key in ("api_key", "aws", "google", "entra", "headers")},
    )
    yield from access_problems(opened, at)
