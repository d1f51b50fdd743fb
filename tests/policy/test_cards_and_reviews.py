"""What an operator is told: cards of routes, warnings about old facts, and mistakes in the file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from penstock.cli import main
from penstock.compile.review import review
from penstock.config.load import ConfigError, load_text
from penstock.control.route_card import route_card
from penstock.control.route_card_text import route_card_text

TODAY = date(2026, 11, 21)
CONFIG = """
version: 1
providers:
  zdr: {kind: openai, api_key: secret-one,
    facts: {retention_days: 0, certified: [SOC 2], residency: [us], source: contract, verified: 2026-10-01,
    endpoints: {embeddings: {retention_days: 30, verified: 2026-01-01}}}}
  claude: {kind: anthropic, api_key: secret-two}
deployments:
  sonnet: {provider: claude, model: claude-sonnet-4-6}
orgs:
  acme: {require: {trains_on_data: false}, teams: {legal: {require: {retention_days: 0},
    credentials: {claude: {api_key: secret-three}}}}}
  euro: {require: {residency: eu}}
routes:
  support:
    owner: support@example.com
    purpose: Answers customers' questions.
    policy: {fallback: [sonnet, zdr/gpt-5]}
    require: {models: {deny: ["*-mini"]}}
    tags: {required: [feature]}
keys:
  - {name: desk, secret: secret-four, org: acme, limits: {rpm: 60}, budget: {usd: 5, window: day}}
  - {name: law, secret: secret-five, org: acme, team: legal, routes: [support]}
  - {name: eu, secret: secret-six, org: euro, routes: [support]}
  - {name: other, secret: secret-seven, org: acme, routes: [], direct: true}
"""


def card() -> dict[str, Any]:
    """The card of the only route."""
    return route_card(load_text(CONFIG, {}), "support", TODAY)


def test_a_card_says_who_where_what_and_since_when() -> None:
    """Owner, callers, targets with their facts' sources and dates, requirements, limits, what is kept."""
    made = card()
    assert (made["owner"], made["purpose"]) == ("support@example.com", "Answers customers' questions.")
    assert [each["key"] for each in made["scope"]["keys"]] == ["desk", "law", "eu"]
    assert made["scope"]["tags_required"] == ["feature"]
    facts = {each["target"]: each["facts"] for each in made["targets"]}
    assert facts["zdr/gpt-5"]["retention_days"] == {
        "value": 0, "source": "contract", "verified": "2026-10-01", "url": "", "old": False,
    }  # fmt: skip
    assert facts["sonnet"]["trains_on_data"]["source"] == "documentation"
    assert facts["sonnet"]["trains_on_data"]["url"].startswith("https://platform.claude.com/")
    assert facts["sonnet"]["residency"] is None
    (zdr,) = [each for each in made["targets"] if each["target"] == "zdr/gpt-5"]
    assert zdr["endpoints"]["embeddings"]["retention_days"]["old"] is True
    desk = made["limits"]["keys"]["desk"]
    assert (desk["limits"], desk["budget"]["usd"], desk["budget"]["window"]) == ({"rpm": 60}, "5", "day")
    levels = {each["level"]: each for each in made["requirements"]}
    assert levels["route 'support'"]["models.deny"] == ("*-mini",)
    assert levels["team 'legal'"]["retention_days"] == 0


def test_a_card_says_what_each_caller_gets() -> None:
    """Targets after the rules, with what is set for them; where none is left, why."""
    callers = {f"{each['org']}/{each['team']}": each for each in card()["callers"]}
    assert [each["target"] for each in callers["acme/"]["targets"]] == ["sonnet", "zdr/gpt-5"]
    assert callers["acme/legal"]["targets"] == [{"target": "zdr/gpt-5", "sets": {"store": "false"}}]
    assert callers["acme/legal"]["own_credentials"] == ["claude"]
    assert callers["acme/legal"]["keeps_responses"] is False
    assert "organisation 'euro' requires residency eu" in callers["euro/"]["denied"]


def test_a_card_reads_well_and_holds_no_secret() -> None:
    """The Markdown has every part; neither form has anything secret."""
    text = route_card_text(card())
    for part in ("# Route `support`", "## Who may use it", "## Where requests go", "## What is required"):
        assert part in text
    assert "| trains_on_data | false | documentation |" in text
    assert "| residency | not known |" in text
    assert "(old)" in text
    assert "secret-" not in text + json.dumps(card())


def test_the_command_prints_both_forms(tmp_path: Path) -> None:
    """`penstock route card` writes Markdown or one JSON object, and names the routes there are."""
    file = tmp_path / "penstock.yaml"
    file.write_text(CONFIG + f"server: {{state_dir: {tmp_path}}}\n")
    run = CliRunner().invoke(main, ["route", "card", "support", "-c", str(file)])
    assert (run.exit_code, run.output.splitlines()[0]) == (0, "# Route `support`")
    run = CliRunner().invoke(main, ["route", "card", "support", "-c", str(file), "--json"])
    assert json.loads(run.output)["route"] == "support"
    run = CliRunner().invoke(main, ["route", "card", "suport", "-c", str(file)])  # codespell:ignore suport
    assert run.exit_code != 0
    assert "did you mean" in run.output


def told(config: str, today: date = TODAY) -> list[str]:
    """What the review says."""
    return [str(each) for each in review(load_text(config, {}), today)]


def test_old_facts_are_warned_about_with_their_age() -> None:
    """Each part by its own date, against `facts_max_age`; what is written ahead of time, too."""
    old = "providers.zdr.facts.endpoints.embeddings: retention_days: verified on 2026-01-01, 324 days ago"
    assert told(CONFIG)[0].partition(";")[0] == old
    patient = CONFIG.replace("version: 1", "version: 1\ndefaults: {facts_max_age: 400d}")
    assert not any("days ago" in each for each in told(patient))
    strict = CONFIG.replace("version: 1", "version: 1\ndefaults: {facts_max_age: 7d}")
    assert sum("providers.zdr.facts" in each for each in told(strict)) == 2
    ahead = CONFIG.replace("verified: 2026-10-01", "verified: 2027-10-01")
    assert any("has not come yet" in each for each in told(ahead))


def test_what_penstock_knows_of_vendors_grows_old_as_well() -> None:
    """A year on, documented facts that somebody relies on are to be looked at, with the page."""
    later = told(CONFIG, date(2027, 11, 21))
    assert any("providers.claude: what Penstock knows of anthropic was read on" in each for each in later)
    unused = "providers: {claude: {kind: anthropic, api_key: k}}"
    assert told(unused, date(2027, 11, 21)) == []


def test_a_route_that_serves_somebody_nothing_is_warned_about() -> None:
    """With the rule, once for each scope, before anybody has asked."""
    (found,) = [each for each in told(CONFIG) if each.startswith("routes.support")]
    assert found.startswith("routes.support: serves nothing to euro/eu: sonnet: organisation 'euro' requires")


def test_check_prints_warnings_and_stays_valid(tmp_path: Path) -> None:
    """Warnings go to stderr, or into the JSON; the exit code is that of a valid file."""
    file = tmp_path / "penstock.yaml"
    file.write_text(CONFIG)
    run = CliRunner().invoke(main, ["check", str(file)])
    assert run.exit_code == 0
    assert "warning: routes.support: serves nothing to euro/eu" in run.stderr
    run = CliRunner().invoke(main, ["check", str(file), "--json"])
    said = json.loads(run.stdout)
    assert said["valid"] is True
    assert {each["path"] for each in said["warnings"]} == {
        "providers.zdr.facts.endpoints.embeddings",
        "routes.support",
    }


P = "providers: {p: {kind: openai, api_key: k, facts: {%s}}}"
O = "providers: {p: {kind: openai, api_key: k}, s: {kind: simulator}}\norgs: {o: {%s}}"  # noqa: E741
SAID = "retention_days: 0, source: contract, verified: 2026-11-01"


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (P % "retention_days: 0, verified: 2026-11-01", "providers.p.facts: facts without a source"),
        (P % "retention_days: 0, source: contract", "facts without a date"),
        (P % "retention_days: 0, source: documentation, verified: 2026-11-01", "documentation without a page"),
        (P % "source: contract, verified: 2026-11-01", "has no effect; it says nothing"),
        (
            P % f"{SAID}, endpoints: {{chats: {{retention_days: 1}}}}",
            "no endpoint 'chats'; did you mean 'chat'",
        ),
        (P % f"{SAID}, endpoints: {{chat: {{}}}}", "has no effect; it says nothing that is different here"),
        (P % "endpoints: {chat: {retention_days: 1}}", "endpoints.chat: facts without a source"),
        (O % "require: {}", "orgs.o.require: has no effect"),
        (O % "require: {providers: {deny: [opnai]}}", "deny[0]: no provider 'opnai'; did you mean 'openai'"),
        (O % "credentials: {x: {api_key: k}}", "orgs.o.credentials.x: no provider 'x'"),
        (O % "credentials: {p: {}}", "an empty credential; add api_key"),
        (O % "credentials: {s: {api_key: k}}", "has no effect; the simulator takes no credential"),
        (O % "credentials: {p: {aws: {profile: x}}}", "has no effect; kind openai takes no such credentials"),
        (O % "credentials: {p: {headers: {host: x}}}", "credentials.p.headers.host: cannot be set"),
        (O % "teams: {t: {credentials: {x: {api_key: k}}}}", "orgs.o.teams.t.credentials.x: no provider"),
    ],
)
def test_mistakes_are_named_with_the_cure(config: str, problem: str) -> None:
    """What would hold nobody to anything is an error of the file."""
    with pytest.raises(ConfigError) as caught:
        load_text(config, {})
    assert problem in str(caught.value)
