"""What is told of a configuration whose identity providers cannot work."""

from __future__ import annotations

import pytest

from penstock.config.load import load_text
from penstock.config.problem import ConfigError

GOOD = 'issuer: "https://id.example", client_id: c'
CONFIG = """\
version: 1
orgs: {{acme: {{teams: {{red: {{}}}}}}, beta: {{}}}}
auth: {{{public}oidc: {{idp: {{{provider}}}}}}}
"""
PUBLIC = "public_url: https://gate.example, "


def problems(provider: str, public: str = PUBLIC) -> list[tuple[str, str]]:
    """Where, and what."""
    try:
        load_text(CONFIG.format(public=public, provider=provider), {})
    except ConfigError as error:
        return [(one.path, one.message) for one in error.problems]
    return []


@pytest.mark.parametrize(
    "provider",
    [
        GOOD,
        f"{GOOD}, org: acme, team_claim: groups",
        f"{GOOD}, org: acme, team_claim: g, teams: {{/a: red}}, unknown_teams: refuse",
        f"{GOOD}, org: acme, roles: [{{claim: r, value: v, role: admin, team: red}}]",
        f"{GOOD}, roles: [{{claim: r, value: v, role: owner}}, {{claim: r, value: w, role: owner, org: beta}}]",
        "issuer: 'http://127.0.0.1:9', client_id: c",
    ],
)
def test_what_works_is_taken(provider: str) -> None:
    """People of an organisation or of the installation, with and without teams."""
    assert problems(provider) == []


@pytest.mark.parametrize(
    ("provider", "at", "told"),
    [
        ("issuer: 'http://id.example', client_id: c", "issuer", "not an https address"),
        (f"{GOOD}, org: acmee", "org", "no organisation 'acmee'"),
        (f"{GOOD}, team_claim: g", "team_claim", "teams of no organisation"),
        (f"{GOOD}, org: acme, teams: {{a: red}}", "teams", "without team_claim"),
        (f"{GOOD}, org: acme, team_claim: g, teams: {{a: blue}}", "teams", "no team 'blue' in 'acme'"),
        (
            f"{GOOD}, roles: [{{claim: r, value: v, role: admin, team: red}}]",
            "roles[0].team",
            "no organisation",
        ),
        (
            f"{GOOD}, org: acme, roles: [{{claim: r, value: v, role: admin, team: blue}}]",
            "roles[0].team",
            "no team 'blue'",
        ),
        (
            f"{GOOD}, roles: [{{claim: r, value: v, role: admin, org: x}}]",
            "roles[0].org",
            "no organisation 'x'",
        ),
        (f"{GOOD}, roles: [{{claim: r, value: v, role: king}}]", "roles[0].role", ""),
    ],
)
def test_what_cannot_work_is_told_where_it_stands(provider: str, at: str, told: str) -> None:
    """One problem, with the key at fault."""
    found = problems(provider)
    assert [path for path, _ in found] == [f"auth.oidc.idp.{at}"], found
    assert told in found[0][1]


def test_browsers_need_a_way_back() -> None:
    """Without the address that browsers use, or with one in the clear, nobody could come back safely."""
    assert [path for path, _ in problems(GOOD, "")] == ["auth.public_url"]
    assert [path for path, _ in problems(GOOD, "public_url: http://gate.example, ")] == ["auth.public_url"]
