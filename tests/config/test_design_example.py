"""The contract's own example: every key of it is known, and what is not built says so."""

from __future__ import annotations

import pytest

from penstock.config.document import CheapestNode, FallbackNode, WhenNode
from penstock.config.load import ConfigError, load_text
from penstock.config.needs import NEEDS, Need

EXAMPLE = """\
version: 1
server:
  listen: 127.0.0.1:4000
  admin_listen: 127.0.0.1:4001
  control_url: http://127.0.0.1:4002
  control_token: a secret that control has as well
  tls: {cert: cert.pem, key: key.pem}
  ca_file: ca.pem
  trusted_proxies: [10.0.0.0/8]
  cors: {origins: ["https://app.example.com"]}
  max_body_bytes: 32MB
  state_dir: ./.penstock
  workers: 2
  database_url: postgresql://localhost/penstock
  redis_url: redis://localhost
defaults: {on_unknown_price: flag, on_unsupported: map, provider_order: [openai, anthropic],
           max_output_tokens: 8192, session: {requests: 200, usd: 20}}
providers:
  openai:    {kind: openai, api_key: "${OPENAI_API_KEY}"}
  anthropic: {kind: anthropic, api_key: "${ANTHROPIC_API_KEY}"}
  google:    {kind: google, api_key: "${GEMINI_API_KEY}"}
  vllm:      {kind: openai, base_url: "http://127.0.0.1:8000/v1",
              facts: {residency: [eu], region: eu-west-1, retention_days: 0, trains_on_data: false,
                      certified: [soc2], source: contract, verified: 2026-05-01}}
  sim:       {kind: simulator}
deployments:
  sonnet: {provider: anthropic, model: claude-sonnet-4-6,
           price: {input: 3, output: 15, cache_read: 0.3, cache_write: 3.75, batch: 0.5, region_factor: 1.1},
           limits: {rpm: 1000, tpm: 400000, concurrency: 64},
           set: {max_tokens: 4096, thinking: {budget_tokens: 2048}}}
guards:
  pii:    {kind: pii, action: redact, on_error: closed}
  inject: {kind: injection, threshold: 0.8, action: block}
orgs:
  acme: {require: {residency: eu}, budget: {usd: 5000, window: month, alerts: [0.5, 0.8, 1.0]},
         teams: {research: {budget: {usd: 500, window: month}}}}
routes:
  support:
    policy:
      when:
        - {if: {key.tags.tier: {$eq: enterprise}}, use: sonnet}
        - {if: {input_tokens: {$gt: 100000}}, use: google/gemini-3-pro}
      else:
        fallback:
          - cheapest: [openai/gpt-5-mini, anthropic/claude-haiku-4-5]
          - weighted: [{use: vllm/llama-4-scout, weight: 9}, {use: sonnet, weight: 1}]
          - static: "We cannot answer just now; a colleague will write to you."
    retry:    {attempts: 2, backoff_s: 0.25, max_backoff_s: 8, max_retry_share: 0.2}
    timeouts: {connect_s: 5, first_event_s: 120, idle_s: 60, total_s: 600}
    slo:      {class: chat}
    require:  {retention_days: 0}
    tags:     {required: [feature]}
    cache:    {exact: {ttl_s: 3600}, semantic: {threshold: 0.92}, scope: org}
    guards:   {input: [pii, inject], output: [schema]}
    success:  {all: [schema, not_blocked]}
    evals:    {judge: helpful, sample: 0.01}
    mirror:   {to: openai/gpt-5.1, percent: 5}
    capture:  none
keys:
  - {name: dev, secret: "${PENSTOCK_DEV_KEY}", org: acme, team: research, routes: [support], direct: false,
     tags: {tier: enterprise}, limits: {rpm: 600, tpm: 1000000, concurrency: 50},
     budget: {usd: 100, window: month}}
"""
ENV = {"OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x", "GEMINI_API_KEY": "x", "PENSTOCK_DEV_KEY": "x"}


def test_the_document_type_takes_every_key_of_the_example() -> None:
    """With all engines built, the example would load."""
    document = load_text(EXAMPLE, ENV, needs=())
    policy = document.routes["support"].policy
    assert isinstance(policy, WhenNode)
    assert policy.cases[0].condition == {"key.tags.tier": {"$eq": "enterprise"}}
    assert isinstance(policy.otherwise, FallbackNode)
    assert isinstance(policy.otherwise.children[0], CheapestNode)
    slo = document.routes["support"].slo
    assert slo is not None
    assert slo.traffic == "chat"


def test_what_has_no_engine_is_refused_by_name() -> None:
    """Today the example has exactly these problems, and each says what the key needs."""
    with pytest.raises(ConfigError) as caught:
        load_text(EXAMPLE, ENV)
    told = caught.value.problems
    assert all("which this version does not have yet" in problem.message for problem in told)
    assert [problem.path for problem in told] == [
        "routes.support.slo",
    ]


def test_a_cached_answer_needs_a_cache() -> None:
    """The node is refused on a route that keeps no answers, at any depth."""
    text = "providers: {sim: {kind: simulator}}\nroutes: {r: {policy: {fallback: [sim/echo, {cached: {}}]}}}"
    with pytest.raises(ConfigError) as caught:
        load_text(text, {})
    (problem,) = caught.value.problems
    assert (problem.path, problem.message) == ("routes.r.policy", "`cached` has nothing to answer with")


def test_values_that_change_nothing_are_fine() -> None:
    """One worker, no capture, an ended stream and the gates that can be judged need no engine."""
    text = """\
server: {workers: "${N}", trusted_proxies: []}
providers: {sim: {kind: simulator}}
routes: {r: {policy: sim/echo, capture: none, on_break: error, success: {all: [not_error, finish]}}}
"""
    assert load_text(text, {"N": "1"}).server.workers == 1


def test_a_need_reads_as_promised() -> None:
    """The sentence names the key, what it needs, and what to do."""
    needs = (Need("keys.*.budget.alerts", "budget alerts"),)
    text = "keys: [{name: a, secret: b, budget: {usd: 1, window: day, alerts: [0.5]}}]"
    with pytest.raises(ConfigError) as caught:
        load_text(text, {}, needs=needs)
    assert str(caught.value) == (
        "penstock.yaml:1:59: keys[0].budget.alerts: needs budget alerts, "
        "which this version does not have yet; remove the key"
    )
    load_text(text, {})


def test_no_need_is_listed_twice() -> None:
    """The table has one line for each place."""
    paths = [need.path for need in NEEDS]
    assert len(paths) == len(set(paths))
