"""What must be right about how people log in at identity providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock.config.document import Auth, OidcProvider, Org
from penstock.config.problem import child, suggestion
from penstock.config.token_checks import is_safe_url

Found = Iterator[tuple[str, str, str]]
_HTTPS = "write https://…; http:// is for this machine alone"


def login_problems(auth: Auth, orgs: Mapping[str, Org]) -> Found:
    """Where below `auth`, what is wrong, and how to mend it."""
    if auth.oidc and auth.public_url is None:
        yield "public_url", "identity providers cannot send people back", "write the address that browsers use"
    if auth.public_url is not None and not is_safe_url(auth.public_url):
        yield "public_url", "not an https address", _HTTPS
    for name, provider in auth.oidc.items():
        path = child("oidc", name)
        for at, message, hint in _of_provider(provider, orgs):
            yield f"{path}.{at}", message, hint


def _of_provider(provider: OidcProvider, orgs: Mapping[str, Org]) -> Found:
    if not is_safe_url(provider.issuer):
        yield "issuer", "not an https address", _HTTPS
    yield from _place("org", provider.org, "teams", tuple(provider.teams.values()), orgs)
    for index, role in enumerate(provider.roles):
        at = f"roles[{index}]"
        org = role.org or provider.org
        if role.team is not None and org is None:
            yield f"{at}.team", "a team of no organisation", "write org, too"
        teams = (role.team,) if role.team is not None else ()
        if role.org is not None or role.team is not None:
            yield from _place(f"{at}.org", org, f"{at}.team", teams, orgs)
    if provider.team_claim is None and provider.teams:
        yield "teams", "without team_claim nothing names a team", "write team_claim, or remove the key"
    if provider.team_claim is not None and provider.org is None:
        yield "team_claim", "teams of no organisation", "write org, too"


def _place(at: str, name: str | None, of_team: str, teams: tuple[str, ...], orgs: Mapping[str, Org]) -> Found:
    """Whether an organisation and its teams are known; without `orgs` every name founds one."""
    if name is None or not orgs:
        return
    org = orgs.get(name)
    if org is None:
        yield at, f"no organisation {name!r}", suggestion(name, orgs) or "add it to orgs"
        return
    for team in teams:
        if team not in org.teams:
            hint = suggestion(team, org.teams) or "add it to the organisation's teams"
            yield of_team, f"no team {team!r} in {name!r}", hint
