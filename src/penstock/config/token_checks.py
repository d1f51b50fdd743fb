"""What must be right about an issuer of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from penstock.config.document import Org, TokenIssuer
from penstock.config.scope_checks import named_problems
from penstock.config.values import BadValueError, is_loopback, url


def token_problems(issuer: TokenIssuer, orgs: Mapping[str, Org]) -> Iterator[tuple[str, str, str]]:
    """Where, what is wrong, and how to mend it."""
    for at, text in (("issuer", issuer.issuer), ("jwks_url", issuer.jwks_url)):
        if text is not None and not is_safe_url(text):
            yield at, "not an https address", "write https://…; http:// is for this machine alone"
    if not issuer.audience:
        yield "audience", "no audience", "name what `aud` must be, or tokens for other services would be taken"
    if not issuer.algorithms:
        yield "algorithms", "no algorithm", "remove the key, or name some"
    if (issuer.org is None) == (issuer.org_claim is None):
        yield "org", "whose tokens these are is not said, or twice", "write org, or org_claim"
    if issuer.team is not None and (issuer.team_claim is not None or issuer.org is None):
        yield "team", "a fixed team needs a fixed organisation, and no team_claim", "write one of them"
    org = orgs.get(issuer.org or "")
    if issuer.org is not None and orgs and org is None:
        yield "org", f"no organisation {issuer.org!r}", "add it to orgs"
    if org is not None and issuer.team is not None and issuer.team not in org.teams:
        yield "team", f"no team {issuer.team!r} in {issuer.org!r}", "add it to the organisation's teams"
    if issuer.routes == () and not issuer.direct:
        yield "routes", "these tokens may use nothing", "name routes, or set direct: true"
    yield from named_problems(issuer)


def is_safe_url(text: str) -> bool:
    """Whether what is read there cannot be changed on its way."""
    try:
        parts = urlsplit(url(text))
    except BadValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme == "https" or is_loopback(f"[{host}]:1" if ":" in host else f"{host}:1")
