"""A tenant's own credential opens the provider for that tenant alone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.core.ids import is_own
from penstock.core.plan import Plan
from penstock.testing.gateway import GatewayThread
from tests.clients.plain import Plain, send
from tests.policy.vendor import Asked, Vendor

CONFIG = """
version: 1
defaults: {{on_unknown_price: flag}}
providers:
  p: {{kind: openai, base_url: "{url}/p/v1", api_key: cred-platform-p,
    headers: {{x-project: cred-platform-project}},
    facts: {{retention_days: 0, source: contract, verified: 2026-11-01,
    endpoints: {{embeddings: {{trains_on_data: false, source: documentation, url: "https://p.example"}}}}}}}}
  q: {{kind: anthropic, base_url: "{url}/q/v1", api_key: cred-platform-q}}
deployments:
  dp: {{provider: p, model: gpt-5, price: {{input: 10, output: 10}}}}
  dq: {{provider: q, model: claude-x, price: {{input: 10, output: 10}}}}
orgs:
  a: {{credentials: {{p: {{api_key: cred-a-p}}, q: {{api_key: cred-a-q}}}}}}
  b: {{credentials: {{p: {{api_key: cred-b-p, headers: {{x-project: cred-b-project}}, cost: counted,
    facts: {{retention_days: 0, source: contract, verified: 2026-11-01}}}}}},
    teams: {{t: {{credentials: {{p: {{api_key: cred-bt-p}}}}}}, u: {{}}}}}}
  c: {{}}
routes:
  both: {{policy: {{fallback: [dp, dq]}}}}
  brief: {{policy: {{fallback: [dp]}}, require: {{retention_days: 0}}}}
  quiet: {{policy: {{fallback: [dp]}}, require: {{trains_on_data: false}}}}
keys:
  - {{name: a, secret: sk-a, org: a, direct: true, budget: {{usd: 1, window: total}}}}
  - {{name: b, secret: sk-b, org: b, team: u, direct: true, budget: {{usd: 1, window: total}}}}
  - {{name: bt, secret: sk-bt, org: b, team: t, direct: true}}
  - {{name: c, secret: sk-c, org: c, direct: true, budget: {{usd: 1, window: total}}}}
  - {{name: plain, secret: sk-plain, direct: true}}
"""
# Which credential opens which provider, for whom.
EXPECTED = {
    ("a", "p"): "cred-a-p",
    ("a", "q"): "cred-a-q",
    ("b", "p"): "cred-b-p",
    ("b", "q"): "cred-platform-q",
    ("bt", "p"): "cred-bt-p",
    ("bt", "q"): "cred-platform-q",
    ("c", "p"): "cred-platform-p",
    ("c", "q"): "cred-platform-q",
    ("plain", "p"): "cred-platform-p",
    ("plain", "q"): "cred-platform-q",
}
SECRETS = {
    "a": {"cred-a-p", "cred-a-q"},
    "b": {"cred-b-p", "cred-b-project"},
    "bt": {"cred-bt-p"},
    "platform": {"cred-platform-p", "cred-platform-q", "cred-platform-project"},
}
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {}),
    "stream": ("/v1/chat/completions", {"stream": True}),
    "responses": ("/v1/responses", {"input": "x"}),
    "messages": ("/v1/messages", {"max_tokens": 5}),
    "count": ("/v1/messages/count_tokens", {}),
    "embeddings": ("/v1/embeddings", {"input": "x"}),
}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    """Both providers, told apart by their paths."""
    with Vendor() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Vendor) -> Iterator[GatewayThread]:
    """The gateway in front of them."""
    with GatewayThread(CONFIG.format(url=vendor.url), env={}) as running:
        yield running


def ask(gateway: GatewayThread, key: str, model: str, way: str = "chat", **more: Any) -> Plain:
    """One request."""
    path, fields = WAYS[way]
    body = {"model": model, "messages": [{"role": "user", "content": "x"}], **fields, **more}
    return send(gateway.url + path, body, f"sk-{key}")


def foreign(key: str, provider: str, asked: Asked) -> set[str]:
    """The secrets in a request that are not its caller's."""
    mine = EXPECTED[key, provider]
    owner = next(name for name, secrets in SECRETS.items() if mine in secrets)
    others = set[str]().union(*(secrets for name, secrets in SECRETS.items() if name != owner))
    text = asked.raw.decode() + json.dumps(asked.headers) + asked.path
    return {secret for secret in others if secret in text}


@pytest.mark.parametrize(
    ("key", "name", "way"),
    list(
        itertools.product(("a", "b", "bt", "c", "plain"), ("p/gpt-5", "q/claude-x", "dp", "dq", "both"), WAYS)
    ),
)
def test_nobodys_credential_travels_with_anybody_elses_request(
    gateway: GatewayThread, vendor: Vendor, key: str, name: str, way: str
) -> None:
    """For every caller, way in and target: the credential is the caller's, and no other's is there."""
    before = len(vendor.asked)
    ask(gateway, key, name, way)
    provider = "p" if name in ("dp", "both") else "q" if name == "dq" else name[0]
    for asked in vendor.asked[before:]:
        assert asked.path.startswith(f"/{provider}/")
        assert asked.secret == EXPECTED[key, provider]
        assert foreign(key, provider, asked) == set()
    if way in ("chat", "stream"):
        assert len(vendor.asked) > before


@pytest.mark.parametrize("key", ["a", "b", "bt", "c", "plain"])
def test_lists_of_models_are_asked_for_with_the_callers_credential(
    gateway: GatewayThread, vendor: Vendor, key: str
) -> None:
    """What a vendor lists for one account is not remembered for another's."""
    gateway.call(gateway.context.model_lists.clear)
    send(gateway.url + "/v1/models", b"", "sk-plain", method="GET")
    before = len(vendor.asked)
    listed = send(gateway.url + "/v1/models", b"", f"sk-{key}", method="GET").json["data"]
    fresh = {(asked.path[1], asked.secret) for asked in vendor.asked[before:]}
    own = {(provider, EXPECTED[key, provider]) for provider in ("p", "q")}
    assert fresh == {pair for pair in own if "platform" not in pair[1]}
    assert {"p/gpt-5", "q/gpt-5", "dp"} <= {each["id"] for each in listed}


def test_what_is_learnt_and_written_down_has_the_tenants_name(gateway: GatewayThread) -> None:
    """Target ids, and with them ratios, states and the ledger's rows, are the tenant's own."""
    told = ask(gateway, "a", "dp")
    assert told.headers["x-penstock-target"] == "dp~a"
    assert ask(gateway, "bt", "p/gpt-5").headers["x-penstock-target"] == "p~b~t/gpt-5"
    assert ask(gateway, "c", "dp").headers["x-penstock-target"] == "dp"
    exchanges = gateway.exchanges(3)
    targets = {each.subject.key: each.attempts[-1].target for each in exchanges if each.attempts}
    assert (is_own(targets["a"]), is_own(targets["bt"]), is_own(targets["c"])) == (True, True, False)
    learned = gateway.call(lambda: set(gateway.context.learned))
    assert {"dp~a", "dp"} <= learned
    pools = {
        each.template.origin for each in (*_plan(gateway).providers.values(), *_plan(gateway).own.values())
    }
    assert len(pools) == len(_plan(gateway).own) + 1  # platform's p and q are one host, one pool


def test_the_vendor_bills_the_tenant_unless_it_is_counted(gateway: GatewayThread) -> None:
    """An own credential costs nothing here; `counted` costs what the price says, budgets included."""
    usd = 10 * 10 / 1e6
    for key, cost in (("a", 0.0), ("b", usd), ("c", usd)):
        left = [float(ask(gateway, key, "dp").headers["x-penstock-budget-left-usd"]) for _ in range(2)]
        assert float(ask(gateway, key, "dp").headers["x-penstock-cost-usd"]) == pytest.approx(cost)
        assert left[0] - left[1] == pytest.approx(cost)
    cards = {each.subject.key: each.attempts[-1].price_card for each in gateway.exchanges(1) if each.attempts}
    assert cards["a"] == "own-credential"
    assert cards["b"].startswith("config:dp:")


def _plan(gateway: GatewayThread) -> Plan:
    return gateway.context.plan


def test_the_platforms_contract_is_not_the_tenants(gateway: GatewayThread) -> None:
    """Zero retention that the platform agreed on says nothing of another account; documentation does."""
    assert ask(gateway, "c", "brief").status == 200
    told = ask(gateway, "a", "brief")
    assert (told.status, told.json["error"]["code"]) == (403, "policy_denied")
    assert ask(gateway, "b", "brief").status == 200
    assert ask(gateway, "a", "quiet", "embeddings").status == 200
    assert ask(gateway, "a", "quiet").status == 403


def test_responses_are_the_business_of_the_account_that_made_them(
    gateway: GatewayThread, vendor: Vendor
) -> None:
    """A visit carries the credential of the account that keeps the response; another is not asked."""
    made = ask(gateway, "b", "dp", "responses").json["id"]
    where = f"{gateway.url}/v1/responses/{made}"
    assert send(where, b"", "sk-b", method="GET").status == 200
    assert vendor.asked[-1].secret == "cred-b-p"
    before = len(vendor.asked)
    assert send(where, b"", "sk-a", method="GET").status == 404
    denied = send(where, b"", "sk-bt", method="GET")
    assert (denied.status, denied.json["error"]["code"]) == (400, "response_elsewhere")
    told = ask(gateway, "bt", "dp", "responses", previous_response_id=made)
    assert (told.status, told.json["error"]["code"]) == (400, "response_elsewhere")
    assert len(vendor.asked) == before
    assert ask(gateway, "b", "dp", "responses", previous_response_id=made).status == 200
    assert vendor.asked[-1].secret == "cred-b-p"


def test_nobody_names_a_tenants_provider(gateway: GatewayThread) -> None:
    """The names of own credentials are no model names, not even for their owner."""
    for key in ("a", "c"):
        told = ask(gateway, key, "p~a/gpt-5")
        assert (told.status, told.json["error"]["code"]) == (404, "unknown_model")
        assert ask(gateway, key, "dp~a").status == 404


def test_a_credential_that_a_vendor_echoes_is_taken_out(vendor: Vendor, gateway: GatewayThread) -> None:
    """An error in which the vendor repeats the tenant's key reaches the tenant without it."""
    vendor.fails_with = b"sorry"
    try:
        told = ask(gateway, "a", "dp")
    finally:
        vendor.fails_with = b""
    assert told.status >= 400
    assert b"cred-" not in told.body


def test_secrets_stand_in_no_repr(gateway: GatewayThread) -> None:
    """Neither the Plan nor anything in it shows a credential."""
    plan = _plan(gateway)
    shown = repr((plan.own, plan.keys, plan.providers, [key.scope for key in plan.keys.values()]))
    assert "cred-" not in shown
    assert "cred-" not in repr(gateway.events())


def test_a_reload_takes_a_credential_away(vendor: Vendor) -> None:
    """What is removed from the file is used no more, and the tenant falls back to the platform's."""
    config = CONFIG.format(url=vendor.url)
    with GatewayThread(config, env={}) as gateway:
        ask(gateway, "a", "dp")
        assert vendor.asked[-1].secret == "cred-a-p"
        gateway.reload(config.replace("p: {api_key: cred-a-p}, ", ""))
        ask(gateway, "a", "dp")
        assert vendor.asked[-1].secret == "cred-platform-p"
