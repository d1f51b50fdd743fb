"""Where a vendor's parameter brings what is required, the gateway sets it, and no client undoes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from penstock.compile.dry import dry_plan
from penstock.config.load import load_text
from penstock.core.errors import Refusal
from penstock.core.money import FACTOR_ONE
from penstock.core.requirements import ENDPOINTS as KINDS
from penstock.dialects.native import decode_native
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.dialects.paths import find
from penstock.providers.vendors import VENDORS
from penstock.providers.vendors.handling import DOCUMENTED, LEVERS
from penstock.testing.gateway import GatewayThread
from tests.clients.plain import Plain, send
from tests.policy.vendor import Asked, Vendor

# Plain HTTP at the vendors' own names, through a proxy that is the vendor.
CONFIG = """
version: 1
providers:
  openai: {kind: openai, base_url: "http://api.openai.com/v1", api_key: k}
  zdr: {kind: openai, base_url: "http://api.openai.com/v1", api_key: k,
        facts: {retention_days: 0, source: contract, verified: 2026-11-01}}
  anthropic: {kind: anthropic, base_url: "http://api.anthropic.com/v1", api_key: k}
  router: {kind: openrouter, base_url: "http://openrouter.ai/api/v1", api_key: k}
  fire: {kind: fireworks, base_url: "http://api.fireworks.ai/inference/v1", api_key: k}
  fake: {kind: openai, base_url: "http://elsewhere.example/v1", api_key: k}
deployments:
  sonnet: {provider: anthropic, model: claude-sonnet-4-6, price: {input: 10, output: 10}}
  ordered: {provider: router, model: x/y, set: {provider: {order: [a], zdr: false}}}
orgs:
  month: {require: {retention_days: 30}}
  none: {require: {retention_days: 0}}
  us: {require: {region: us}}
  secret: {require: {trains_on_data: false}}
keys:
  - {name: month, secret: sk-month, org: month, direct: true}
  - {name: none, secret: sk-none, org: none, direct: true}
  - {name: us, secret: sk-us, org: us, direct: true}
  - {name: secret, secret: sk-secret, org: secret, direct: true}
  - {name: free, secret: sk-free, org: free2, direct: true}
"""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    """All vendors in one."""
    with Vendor() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Vendor) -> Iterator[GatewayThread]:
    """A gateway that reaches every name through the vendor."""
    config = CONFIG.replace("org: free2, ", "")
    with GatewayThread(config, env={}, proxy=lambda _scheme, _host: vendor.url) as running:
        yield running


def ask(
    gateway: GatewayThread, key: str, model: str, path: str = "/v1/chat/completions", **fields: Any
) -> Plain:
    """One request."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": 9,
        **fields,
    }
    if path.startswith("/v1/responses"):
        body = {"model": model, "input": "x", **fields}
    return send(gateway.url + path, body, f"sk-{key}")


def sent(vendor: Vendor) -> Asked:
    """What arrived last."""
    return vendor.asked[-1]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
@pytest.mark.parametrize("client", [{}, {"store": True}, {"store": False}])
def test_openai_stores_nothing_where_retention_is_limited(
    gateway: GatewayThread, vendor: Vendor, path: str, client: dict[str, Any]
) -> None:
    """`store: false` goes out whatever the client sent, and makes 30 days of the fact; 0 needs a contract."""
    assert ask(gateway, "month", "openai/gpt-5", path, **client).status == 200
    assert (sent(vendor).host, sent(vendor).body["store"]) == ("api.openai.com", False)
    assert ask(gateway, "none", "zdr/gpt-5", path, **client).status == 200
    assert sent(vendor).body["store"] is False
    told = ask(gateway, "none", "openai/gpt-5", path, **client)
    assert (told.status, told.json["error"]["code"]) == (403, "policy_denied")
    assert "the best that its parameters bring is 30" in told.json["error"]["message"]


def test_nobody_else_is_touched(gateway: GatewayThread, vendor: Vendor) -> None:
    """Without a rule the client's own value goes, and none is added."""
    ask(gateway, "free", "openai/gpt-5", store=True)
    assert sent(vendor).body["store"] is True
    ask(gateway, "free", "openai/gpt-5")
    assert "store" not in sent(vendor).body
    ask(gateway, "free", "anthropic/claude-sonnet-4-6", "/v1/messages", inference_geo="global")
    assert sent(vendor).body["inference_geo"] == "global"


@pytest.mark.parametrize("client", [{}, {"inference_geo": "global"}])
def test_anthropic_is_told_where_to_run(gateway: GatewayThread, vendor: Vendor, client: dict[str, Any]) -> None:
    """`inference_geo` goes out in every dialect, and the price has the vendor's factor."""
    assert ask(gateway, "us", "sonnet", "/v1/messages", **client).status == 200
    assert sent(vendor).body["inference_geo"] == "us"
    told = ask(gateway, "us", "sonnet")
    assert told.status == 200
    assert sent(vendor).body["inference_geo"] == "us"
    assert float(told.headers["x-penstock-cost-usd"]) == pytest.approx(10 * 10 / 1e6 * 1.1)
    assert float(ask(gateway, "free", "sonnet").headers["x-penstock-cost-usd"]) == pytest.approx(10 * 10 / 1e6)


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-3-haiku-20240307", "claude-opus-4-20250514"])
def test_a_model_that_does_not_know_the_parameter_cannot_be_used(gateway: GatewayThread, model: str) -> None:
    """Older models would answer 400; the rule is not met, and says so."""
    told = ask(gateway, "us", f"anthropic/{model}", "/v1/messages")
    assert (told.status, told.json["error"]["type"]) == (403, "permission_error")
    assert "requires region us" in told.json["error"]["message"]


def test_tokens_are_counted_here_where_only_a_parameter_would_allow_the_question(
    gateway: GatewayThread, vendor: Vendor
) -> None:
    """Counting takes no such parameter, so that nothing is sent and the answer is an estimate."""
    before = len(vendor.asked)
    told = ask(gateway, "us", "anthropic/claude-sonnet-4-6", "/v1/messages/count_tokens")
    assert told.status == 200
    assert told.json["input_tokens"] != 4242
    assert len(vendor.asked) == before
    assert ask(gateway, "free", "anthropic/claude-sonnet-4-6", "/v1/messages/count_tokens").json == {
        "input_tokens": 4242
    }


def test_openrouter_is_told_whom_it_may_use(gateway: GatewayThread, vendor: Vendor) -> None:
    """Its parameters go out over the client's and join the deployment's; models that search are left out."""
    assert ask(gateway, "none", "router/x/y", provider={"zdr": False}, plugins=[{"id": "web"}]).status == 200
    assert (sent(vendor).body["provider"], sent(vendor).body["plugins"]) == ({"zdr": True}, [])
    assert ask(gateway, "secret", "router/x/y", provider={"data_collection": "allow"}).status == 200
    assert sent(vendor).body["provider"] == {"data_collection": "deny"}
    assert ask(gateway, "none", "ordered").status == 200
    assert sent(vendor).body["provider"] == {"order": ["a"], "zdr": True}
    assert ask(gateway, "none", "router/x/y:online").status == 403


def test_fireworks_keeps_no_responses(gateway: GatewayThread, vendor: Vendor) -> None:
    """Chats are not kept anyway, and responses not with `store: false`; its routers to others are unknown."""
    assert ask(gateway, "none", "fire/llama").status == 200
    assert "store" not in sent(vendor).body
    assert ask(gateway, "none", "fire/llama", "/v1/responses", store=True).status == 200
    assert ask(gateway, "none", "fire/firerouter/opus").status == 403


def test_a_vendors_pages_say_nothing_of_another_address(gateway: GatewayThread) -> None:
    """A server that speaks OpenAI's API is not OpenAI, and a subdomain of OpenAI's is."""
    assert ask(gateway, "secret", "fake/gpt-5").status == 403
    assert ask(gateway, "secret", "openai/gpt-5").status == 200
    with GatewayThread(
        CONFIG.replace("org: free2, ", "").replace("http://api.openai.com", "http://eu.api.openai.com"),
        env={},
        proxy=lambda _scheme, _host: gateway.url,
    ) as other:
        known = other.context.plan.providers["openai"].template.handling
        assert known is not None
        assert known.facts.trains_on_data is False


def _keys() -> list[tuple[str, str]]:
    return [(kind, name) for kind, levers in LEVERS.items() for lever in levers for name in lever.settings]


@pytest.mark.parametrize(("kind", "name"), _keys())
def test_a_client_cannot_say_it_in_another_spelling(kind: str, name: str) -> None:
    """What the gateway sets is a field that it owns: a vendor that ignores case never sees two of them."""
    body = json.dumps({"model": "m", name.title(): "x", "max_tokens": 1, "messages": []}).encode()
    found = find("/v1/messages")
    assert found is not None
    read = (
        partial(decode_native, found, body)
        if VENDORS[kind].api == "anthropic"
        else partial(decode, ENDPOINTS["/v1/chat/completions"], body, b"")
    )
    with pytest.raises(Refusal) as caught:
        read()
    assert caught.value.code == "case_variant_key"


def test_every_row_names_a_vendor_an_endpoint_and_the_page_with_its_date() -> None:
    """What is not backed by a page of the vendor does not stand in the registry."""
    sources = [(row.kinds, row.endpoints, row.provenance) for row in DOCUMENTED]
    sources += [((kind,), lever.endpoints, lever.provenance) for kind, each in LEVERS.items() for lever in each]
    for kinds, endpoints, page in sources:
        assert set(kinds) <= set(VENDORS)
        assert set(endpoints) <= set(KINDS)
        assert page.url.startswith("https://")
        assert (page.source, len(page.verified)) == ("documentation", 10)


def test_a_region_stands_in_the_address_unless_the_model_runs_elsewhere() -> None:
    """Bedrock's region is the address's, but not for a cross-region inference profile."""
    document = load_text("providers: {aws: {kind: bedrock, region: eu-west-1, api_key: k}}", {})
    handling = dry_plan(document, 0).providers["aws"].template.handling
    assert handling is not None
    assert handling.at("chat", ("anthropic.claude-x",)).region == "eu-west-1"
    assert handling.at("chat", ("eu.anthropic.claude-x",)).region is None
    assert handling.at("chat", ("global.anthropic.claude-x",)).region is None


def test_an_accounts_tier_decides_what_a_page_says() -> None:
    """Google trains on what free accounts send; only who says that the account is paid has the fact."""
    for tier, known in (("", None), (", tier: paid", False)):
        facts = f"{{residency: [us]{tier}, source: contract, verified: 2026-11-01}}"
        document = load_text(f"providers: {{g: {{kind: google, api_key: k, facts: {facts}}}}}", {})
        handling = dry_plan(document, 0).providers["g"].template.handling
        assert handling is not None
        assert handling.at("chat").trains_on_data is known
        assert handling.at("chat").retention_days == 55


def test_factors_are_of_the_money_module() -> None:
    """One tenth more is 1.1 in the unit that cards are in."""
    (lever,) = LEVERS["anthropic"]
    assert lever.factor * 10 == FACTOR_ONE * 11
