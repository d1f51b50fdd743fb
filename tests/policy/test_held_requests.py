"""Requests through a whole gateway are held to what organisation, team, key and route require."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.core.exchange import AdmissionRefused
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.testing.gateway import GatewayThread
from tests.clients.plain import Plain, send
from tests.policy.vendor import Vendor

CONFIG = """
version: 1
providers:
  home: {{kind: openai, base_url: "{url}/home/v1", api_key: k-home, facts: {{residency: [de], retention_days: 0,
    certified: [SOC 2], tier: enterprise, source: contract, verified: 2026-11-01,
    endpoints: {{embeddings: {{retention_days: 90}}}}}}}}
  away: {{kind: openai, base_url: "{url}/away/v1", api_key: k-away,
    facts: {{residency: [us], retention_days: 30, source: contract, verified: 2026-11-01}}}}
  dark: {{kind: openai, base_url: "{url}/dark/v1", api_key: k-dark}}
deployments:
  near: {{provider: home, model: gpt-5}}
orgs:
  free: {{}}
  euro: {{require: {{residency: eu}}, teams: {{strict: {{require: {{certified: [soc2]}}}}}}}}
  brief: {{require: {{retention_days: 0}}}}
  picky: {{require: {{models: {{deny: ["*-mini"]}}}}}}
routes:
  all: {{policy: {{fallback: [away/gpt-5, dark/gpt-5, near]}}}}
  far: {{policy: {{fallback: [away/gpt-5, {{static: "We cannot answer."}}]}}}}
  held: {{policy: {{fallback: [away/gpt-5, near]}}, require: {{tier: enterprise}}}}
keys:
  - {{name: free, secret: sk-free, org: free, direct: true}}
  - {{name: euro, secret: sk-euro, org: euro, direct: true}}
  - {{name: strict, secret: sk-strict, org: euro, team: strict, direct: true}}
  - {{name: brief, secret: sk-brief, org: brief, direct: true}}
  - {{name: picky, secret: sk-picky, org: picky, direct: true}}
  - {{name: own, secret: sk-own, org: free, direct: true, require: {{providers: {{allow: [dark]}}}}}}
"""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    """Three providers, told apart by their paths."""
    with Vendor(("gpt-5", "gpt-5-mini")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Vendor) -> Iterator[GatewayThread]:
    """The gateway in front of them."""
    with GatewayThread(CONFIG.format(url=vendor.url), env={}) as running:
        yield running


def chat(gateway: GatewayThread, key: str, model: str) -> Plain:
    """`POST /v1/chat/completions`."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    return send(gateway.url + "/v1/chat/completions", body, f"sk-{key}")


def code(told: Plain) -> tuple[int, str]:
    """Status and code of an error."""
    return told.status, told.json["error"]["code"]


@pytest.mark.parametrize(
    ("key", "model", "target"),
    [
        ("free", "all", "away/gpt-5"),
        ("euro", "all", "near"),
        ("strict", "all", "near"),
        ("brief", "all", "near"),
        ("own", "all", "dark/gpt-5"),
        ("free", "held", "near"),
        ("picky", "all", "away/gpt-5"),
        ("euro", "home/anything", "home/anything"),
        ("free", "dark/x", "dark/x"),
    ],
)
def test_the_first_target_that_may_serve_does(
    gateway: GatewayThread, key: str, model: str, target: str
) -> None:
    """Targets that may not serve are not tried, and those that may keep their order."""
    told = chat(gateway, key, model)
    assert told.status == 200
    assert (told.headers["x-penstock-target"], told.headers["x-penstock-attempts"]) == (target, "1")


@pytest.mark.parametrize(
    ("key", "model", "words"),
    [
        ("euro", "far", ["organisation 'euro' requires residency eu", "[us] (contract, 2026-11-01)"]),
        ("euro", "away/gpt-5", ["away/gpt-5: organisation 'euro' requires residency eu"]),
        ("euro", "dark/gpt-5", ["that is not known of it"]),
        ("strict", "dark/x", ["organisation 'euro' requires residency"]),
        ("brief", "away/gpt-5", ["requires retention_days 0, and it has 30"]),
        ("own", "near", ["key 'own' requires providers.allow [dark]"]),
        ("own", "held", ["key 'own' requires providers.allow", "away/gpt-5", "near"]),
        ("picky", "home/gpt-5-mini", ["organisation 'picky' requires models.deny", "denied by *-mini"]),
    ],
)
def test_a_request_that_nobody_may_serve_is_refused_with_the_rule(
    gateway: GatewayThread, vendor: Vendor, key: str, model: str, words: list[str]
) -> None:
    """403 with rule and level, also where a fixed text is left, and nothing is sent to anybody."""
    before = len(vendor.asked)
    told = chat(gateway, key, model)
    assert code(told) == (403, "policy_denied")
    message = told.json["error"]["message"]
    assert all(word in message for word in words), message
    assert len(vendor.asked) == before


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/messages", b'"permission_error"'),
        ("/v1/messages/count_tokens", b'"permission_error"'),
        ("/v1beta/models/dark%2Fgpt-5:generateContent", b'"PERMISSION_DENIED"'),
        ("/model/dark%2Fgpt-5/converse", b'"message"'),
        ("/v1/responses", b'"policy_denied"'),
        ("/v1/responses/input_tokens", b'"policy_denied"'),
        ("/v1/embeddings", b'"policy_denied"'),
    ],
)
def test_every_dialect_and_endpoint_is_held(
    gateway: GatewayThread, vendor: Vendor, path: str, words: bytes
) -> None:
    """Counting tokens, embedding and other APIs' shapes are no way round; errors are in the caller's words."""
    before = len(vendor.asked)
    body: dict[str, Any] = {"model": "dark/gpt-5", "max_tokens": 5, "input": "x"}
    body["messages"] = [{"role": "user", "content": "x"}]
    if "model" in path:
        body = {"contents": [{"parts": [{"text": "x"}]}]}
    if "converse" in path:
        body = {"messages": [{"role": "user", "content": [{"text": "x"}]}]}
    told = send(gateway.url + path, body, "sk-euro")
    assert told.status == 403
    assert b"residency" in told.body
    assert words in told.body
    assert len(vendor.asked) == before


def test_facts_hold_by_endpoint(gateway: GatewayThread) -> None:
    """A provider that keeps no chats may keep what it embeds."""
    assert chat(gateway, "brief", "home/gpt-5").status == 200
    told = send(gateway.url + "/v1/embeddings", {"model": "home/e", "input": "x"}, "sk-brief")
    assert code(told) == (403, "policy_denied")
    assert "it has 90" in told.json["error"]["message"]


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("euro", {"all", "near", "home/gpt-5", "home/gpt-5-mini"}),
        ("strict", {"all", "near", "home/gpt-5", "home/gpt-5-mini"}),
        ("own", {"all", "dark/gpt-5", "dark/gpt-5-mini"}),
        ("picky", {"all", "far", "held", "near", "home/gpt-5", "away/gpt-5", "dark/gpt-5"}),
    ],
)
def test_lists_name_what_may_serve(gateway: GatewayThread, key: str, names: set[str]) -> None:
    """A model that no allowed target serves is not listed, and not found by itself."""
    listed = send(gateway.url + "/v1/models", b"", f"sk-{key}", method="GET").json["data"]
    held = {"held"} if key in ("euro", "strict") else set[str]()
    assert {each["id"] for each in listed} == names | held
    one = send(gateway.url + "/v1/models/far", b"", f"sk-{key}", method="GET")
    assert one.status == (200 if "far" in names else 404)


def test_a_refusal_is_written_down_and_costs_nothing(gateway: GatewayThread) -> None:
    """The journal has the refusal with its code; there is no exchange."""
    before = len(gateway.call(lambda: list(gateway.journal.exchanges)))
    chat(gateway, "euro", "far")
    last = gateway.events()[-1]
    assert isinstance(last, AdmissionRefused)
    assert (last.code, last.status, last.request.route) == ("policy_denied", 403, "far")
    assert len(gateway.call(lambda: list(gateway.journal.exchanges))) == before


def test_short_retention_keeps_nothing_here_either(gateway: GatewayThread, vendor: Vendor) -> None:
    """With retention_days 0 a response is not stored, at the vendor or here, whatever the client says."""
    told = send(gateway.url + "/v1/responses", {"model": "near", "input": "x", "store": True}, "sk-brief")
    assert told.status == 200
    assert vendor.asked[-1].body["store"] is False
    visit = send(f"{gateway.url}/v1/responses/{told.json['id']}", b"", "sk-brief", method="GET")
    assert code(visit) == (404, "unknown_response")
    more = {"model": "near", "input": "x", "previous_response_id": told.json["id"]}
    assert code(send(gateway.url + "/v1/responses", more, "sk-brief")) == (400, "responses_store_off")
    later = {"model": "near", "input": "x", "background": True}
    assert code(send(gateway.url + "/v1/responses", later, "sk-brief")) == (400, "responses_store_off")


def test_a_kept_response_is_read_where_rules_allow_and_deleted_everywhere(vendor: Vendor) -> None:
    """After a rule came up, what the vendor keeps cannot be fetched from it any more, but can be deleted."""
    config = CONFIG.format(url=vendor.url)
    with GatewayThread(config, env={}) as gateway:
        told = send(gateway.url + "/v1/responses", {"model": "away/gpt-5", "input": "x"}, "sk-free")
        where = f"{gateway.url}/v1/responses/{told.json['id']}"
        assert send(where, b"", "sk-free", method="GET").status == 200
        gateway.reload(config.replace("free: {}", "free: {require: {residency: eu}}"))
        before = len(vendor.asked)
        denied = send(where, b"", "sk-free", method="GET")
        assert code(denied) == (403, "policy_denied")
        assert len(vendor.asked) == before
        assert send(where, b"", "sk-free", method="DELETE").status == 200
        assert (vendor.asked[-1].method, vendor.asked[-1].path) == (
            "DELETE",
            f"/away/v1/responses/{told.json['id']}",
        )


def test_a_reload_changes_who_may_serve(vendor: Vendor) -> None:
    """What was remembered of a Plan goes with it."""
    config = CONFIG.format(url=vendor.url)
    with GatewayThread(config, env={}) as gateway:
        assert chat(gateway, "free", "all").headers["x-penstock-target"] == "away/gpt-5"
        gateway.reload(config.replace("free: {}", "free: {require: {residency: eu}}"))
        assert chat(gateway, "free", "all").headers["x-penstock-target"] == "near"
        gateway.reload(
            config.replace("residency: [de]", "residency: [us]").replace(
                "free: {}", "free: {require: {residency: eu}}"
            )
        )
        assert code(chat(gateway, "free", "all")) == (403, "policy_denied")


def test_nobody_whom_no_rule_concerns_pays_for_rules(gateway: GatewayThread) -> None:
    """Without a rule a request gets the very tree that was compiled; with one, the same tree every time."""
    plan, resolver = gateway.context.plan, gateway.context.resolver
    keys = {key.id: key for key in plan.keys.values()}
    assert keys["free"].scope is None
    assert resolver.resolve("all", keys["free"]) is plan.routes["all"]
    euro = keys["euro"].scope
    endpoint = ENDPOINTS["/v1/chat/completions"]
    first = resolver.held.of(plan.routes["all"], euro, endpoint)
    assert first is not plan.routes["all"]
    assert resolver.held.of(plan.routes["all"], euro, endpoint) is first
