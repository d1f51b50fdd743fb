"""The cache of answers as clients and the ledger meet it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.service.service import until

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1",
       facts: {{retention_days: 0, source: contract, verified: 2026-05-01}}}}
deployments:
  echo: {{provider: up, model: echo, price: {{input: 1, output: 2}}}}
  other: {{provider: up, model: tokens-9, price: {{input: 1, output: 2}}}}
  tools-model: {{provider: up, model: tool-call, price: {{input: 1, output: 2}}}}
  long-model: {{provider: up, model: tokens-40, price: {{input: 1, output: 2}}}}
  withheld-model: {{provider: up, model: content-filter, price: {{input: 1, output: 2}}}}
  silent-model: {{provider: up, model: empty, price: {{input: 1, output: 2}}}}
routes:
  chat: {{policy: echo, cache: {{exact: {{ttl_s: 60}}{more}}}}}
  plain: {{policy: echo}}
  tools: {{policy: tools-model, cache: {{exact: {{ttl_s: 60}}{more}}}}}
  long: {{policy: long-model, cache: {{exact: {{ttl_s: 60}}{more}}}}}
  withheld: {{policy: withheld-model, cache: {{exact: {{ttl_s: 60}}}}}}
  silent: {{policy: silent-model, cache: {{exact: {{ttl_s: 60}}}}}}
  tiers: {{policy: {{when: [{{if: {{key.tags.tier: {{$eq: gold}}}}, use: other}}], else: echo}},
           cache: {{exact: {{ttl_s: 60}}}}}}
  strict: {{policy: echo, require: {{retention_days: 0}}, cache: {{exact: {{ttl_s: 60}}}}}}
keys:
  - {{name: a, secret: sk-a, org: acme, team: one, user: ann, budget: {{usd: 1, window: month}}}}
  - {{name: b, secret: sk-b, org: acme, team: two, tags: {{tier: gold}}}}
  - {{name: c, secret: sk-c, org: other, limits: {{rpm: 2}}}}
"""
CHAT = "/v1/chat/completions"
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}


class Told(NamedTuple):
    """What a client got."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def cache(self) -> str:
        """Where it says that it comes from."""
        return self.headers.get("x-penstock-cache", "")


def post(running: GatewayThread, path: str, body: dict[str, Any], key: str = "sk-a", **headers: str) -> Told:
    """Send a request."""
    fields = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(running.url + path, json.dumps(body).encode(), fields)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Told(
                answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode()
            )
    except urllib.error.HTTPError as error:
        with error:
            return Told(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read().decode())


def ask(
    running: GatewayThread, text: str = "Hello", *, model: str = "chat", key: str = "sk-a", **more: Any
) -> Told:
    """Ask a question; `cache` is what the client says of the cache."""
    said = {"x_penstock_cache": more.pop("cache")} if "cache" in more else {}
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    return post(running, CHAT, body, key, **said)


@pytest.fixture
def upstream() -> Iterator[SimulatorThread]:
    """A model."""
    with SimulatorThread() as running:
        yield running


@pytest.fixture
def running(upstream: SimulatorThread) -> Iterator[GatewayThread]:
    """A gateway whose routes keep answers."""
    with GatewayThread(CONFIG.format(url=upstream.url, more="")) as gateway:
        yield gateway


def test_the_second_answer_comes_from_the_cache(running: GatewayThread) -> None:
    """It is the first one's body, costs nothing, and the ledger says what it saved."""
    first, second = ask(running), ask(running)
    assert (first.cache, second.cache) == ("miss", "exact")
    assert first.text == second.text
    assert second.headers["x-penstock-cost-usd"] == "0"
    assert second.headers["x-penstock-target"] == "echo"
    assert len(second.headers["x-penstock-cache-entry"]) == 32
    made, hit = running.exchanges(2)
    assert (made.cache, hit.cache) == ("miss", "exact")
    assert hit.success
    assert hit.attempts == []
    assert int(hit.notes["cache_saved_nanousd"]) == made.attempts[0].cost_nanousd
    assert hit.notes["cache_age_s"] == "0"


def test_a_route_without_a_cache_keeps_nothing(running: GatewayThread) -> None:
    """Nothing changes where nothing is configured."""
    assert [ask(running, model="plain").cache for _ in range(2)] == ["miss", "miss"]


@pytest.mark.parametrize("first", [False, True])
def test_kept_one_way_and_replayed_the_other(running: GatewayThread, *, first: bool) -> None:
    """A whole answer comes as a stream to who streams, and a stream in one piece to who does not."""
    text = "The quick brown fox jumps over the lazy dog, " * 6
    assert ask(running, text, stream=first).cache == "miss"
    other = ask(running, text, stream=not first)
    assert other.cache == "exact"
    if first:
        assert json.loads(other.text)["choices"][0]["message"]["content"] == text
    else:
        events = [json.loads(line[6:]) for line in other.text.splitlines() if line.startswith("data: {")]
        pieces = [e["choices"][0]["delta"].get("content") or "" for e in events if e["choices"]]
        assert "".join(pieces) == text
        assert len([each for each in pieces if each]) > 2
        assert other.text.rstrip().endswith("data: [DONE]")
        assert other.headers["content-type"].startswith("text/event-stream")


def test_every_dialect_hits_the_same_entry(running: GatewayThread) -> None:
    """What one dialect asked is answered in another's words."""
    text = "Name three rivers"
    body: dict[str, Any] = {"model": "chat", "max_tokens": 64, "messages": [{"role": "user", "content": text}]}
    assert post(running, CHAT, body).cache == "miss"
    answers = [
        post(running, "/v1/messages", body),
        post(running, "/v1/messages", {**body, "stream": True}),
        post(
            running,
            "/v1beta/models/chat:generateContent",
            {
                "contents": [{"role": "user", "parts": [{"text": text}]}],
                "generationConfig": {"maxOutputTokens": 64},
            },
        ),
        post(
            running,
            "/model/chat/converse",
            {"messages": [{"role": "user", "content": [{"text": text}]}], "inferenceConfig": {"maxTokens": 64}},
        ),
    ]
    assert [each.cache for each in answers] == ["exact"] * 4
    assert json.loads(answers[0].text)["content"] == [{"type": "text", "text": text}]
    assert "event: message_stop" in answers[1].text
    assert json.loads(answers[2].text)["candidates"][0]["content"]["parts"] == [{"text": text}]
    assert json.loads(answers[3].text)["output"]["message"]["content"] == [{"text": text}]


def test_embeddings_are_kept(running: GatewayThread) -> None:
    """The same inputs give the same vectors without asking again; another input does not."""
    body = {"model": "chat", "input": ["one", "two"]}
    first = post(running, "/v1/embeddings", body)
    again = post(running, "/v1/embeddings", {"input": ["one", "two"], "model": "chat"})
    other = post(running, "/v1/embeddings", {**body, "input": ["one"]})
    assert (first.cache, again.cache, other.cache) == ("miss", "exact", "miss")
    assert again.text == first.text


def test_organisations_share_nothing(running: GatewayThread) -> None:
    """Keys of one organisation share an entry, another organisation's does not get it."""
    assert ask(running, key="sk-a").cache == "miss"
    assert ask(running, key="sk-b").cache == "exact"
    assert ask(running, key="sk-c").cache == "miss"


@pytest.mark.parametrize(
    ("scope", "shared"), [("team", False), ("key", False), ("org", True), ("global", True)]
)
def test_the_scope_says_who_shares(upstream: SimulatorThread, scope: str, *, shared: bool) -> None:
    """Two keys of one organisation and two teams."""
    with GatewayThread(CONFIG.format(url=upstream.url, more=f", scope: {scope}")) as running:
        ask(running, key="sk-a")
        assert ask(running, key="sk-b").cache == ("exact" if shared else "miss")
        assert ask(running, key="sk-c").cache == ("exact" if scope == "global" else "miss")


def test_a_user_scope_needs_a_user(upstream: SimulatorThread) -> None:
    """Each user has entries of its own; who names none has none."""
    with GatewayThread(CONFIG.format(url=upstream.url, more=", scope: user")) as running:
        assert [ask(running, key="sk-b", user="x").cache for _ in range(2)] == ["miss", "miss"]
        named = {"x_penstock_tags": "user=joe"}
        body = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]}
        assert [post(running, CHAT, body, "sk-b", **named).cache for _ in range(2)] == ["miss", "exact"]
        assert post(running, CHAT, body, "sk-b", x_penstock_tags="user=eve").cache == "miss"


def test_what_clients_may_say(running: GatewayThread) -> None:
    """no-store, no-cache, max-age and ttl; anything else is an error that names them."""
    assert [ask(running, cache="no-store").cache for _ in range(2)] == ["miss", "miss"]
    assert ask(running).cache == "miss"
    assert ask(running, cache="no-cache").cache == "miss"
    assert ask(running, cache="max-age=30").cache == "exact"
    assert ask(running, "Other", cache="ttl=0").cache == "miss"
    assert ask(running, "Other").cache == "miss"
    refused = ask(running, cache="sometimes")
    assert (refused.status, json.loads(refused.text)["error"]["code"]) == (400, "bad_cache_control")


def test_what_must_not_be_stored_is_not(running: GatewayThread) -> None:
    """`store: false` of the client and `retention_days: 0` of the route both win."""
    assert [ask(running, store=False).cache for _ in range(2)] == ["miss", "miss"]
    assert [ask(running, model="strict").cache for _ in range(2)] == ["miss", "miss"]
    assert {row.notes.get("cache_skip", "") for row in running.exchanges(4)} == {"store_false", ""}


@pytest.mark.parametrize(
    ("text", "skipped"),
    [
        ("What is the weather in Paris?", True),
        ("Was gibt es heute zu essen?", True),
        ("What is the latest version of Python?", True),
        ("Who wrote Faust?", False),
        ("Explain how tides work", False),
    ],
)
def test_what_depends_on_the_time_is_not_kept(running: GatewayThread, text: str, *, skipped: bool) -> None:
    """Shipped rules look at the last turn."""
    ask(running, text)
    assert ask(running, text).cache == ("miss" if skipped else "exact")


def test_what_is_personal_is_kept_for_its_user_alone(running: GatewayThread) -> None:
    """The key's user has an entry; a colleague without a name has none, and gets none."""
    text = "Where is my order?"
    assert [ask(running, text, key="sk-a").cache for _ in range(2)] == ["miss", "exact"]
    assert [ask(running, text, key="sk-b").cache for _ in range(2)] == ["miss", "miss"]


def test_conditions_say_what_is_kept(upstream: SimulatorThread) -> None:
    """Requests for which `when` does not hold are asked anew each time."""
    more = ", when: {request.tags.feature: {$eq: faq}}"
    with GatewayThread(CONFIG.format(url=upstream.url, more=more)) as running:
        body = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]}
        assert [post(running, CHAT, body).cache for _ in range(2)] == ["miss", "miss"]
        tagged = {"x_penstock_tags": "feature=faq"}
        assert [post(running, CHAT, body, **tagged).cache for _ in range(2)] == ["miss", "exact"]


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("tools", {"tools": [TOOL]}),
        ("long", {"max_tokens": 5}),
        ("withheld", {}),
        ("silent", {}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_no_whole_answer_is_not_kept(
    running: GatewayThread, model: str, more: dict[str, Any], *, stream: bool
) -> None:
    """Tool calls, answers that were cut off or withheld, and empty ones."""
    assert [ask(running, model=model, stream=stream, **more).cache for _ in range(2)] == ["miss", "miss"]


def test_some_of_it_is_kept_where_that_is_wanted(upstream: SimulatorThread) -> None:
    """`also` names what is kept besides."""
    with GatewayThread(CONFIG.format(url=upstream.url, more=", also: [tool_calls, truncated]")) as running:
        assert [ask(running, model="tools", tools=[TOOL]).cache for _ in range(2)] == ["miss", "exact"]
        assert [ask(running, model="long", max_tokens=5).cache for _ in range(2)] == ["miss", "exact"]


def test_errors_are_not_kept(running: GatewayThread, upstream: SimulatorThread) -> None:
    """A failure is the answer of its own request alone."""
    config = CONFIG.format(url=upstream.url, more="").replace("model: echo", "model: error-400")
    running.reload(config)
    assert [ask(running).status for _ in range(2)] == [400, 400]
    running.reload(CONFIG.format(url=upstream.url, more=""))
    assert ask(running).cache == "miss"


def test_nobody_gets_the_answer_of_another_target(running: GatewayThread) -> None:
    """What the policy asks of the caller is part of the key."""
    plain = ask(running, model="tiers", key="sk-a")
    gold = ask(running, model="tiers", key="sk-b")
    assert (plain.cache, gold.cache) == ("miss", "miss")
    assert (plain.headers["x-penstock-target"], gold.headers["x-penstock-target"]) == ("echo", "other")
    assert ask(running, model="tiers", key="sk-b").headers["x-penstock-target"] == "other"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("policy: echo, cache", "policy: other, cache"),  # another policy
        ("model: echo", "model: tokens-3"),  # another model behind the name
        ("input: 1, output: 2", "input: 2, output: 2"),  # another price
        ("ttl_s: 60", "ttl_s: 59"),  # another rule for keeping
        ("routes:", "defaults: {max_output_tokens: 77}\nroutes:"),  # another bound
    ],
)
def test_what_was_made_under_other_rules_is_not_served(
    running: GatewayThread, upstream: SimulatorThread, before: str, after: str
) -> None:
    """Whatever decides how the route answers is part of the key; the way back finds the old entry."""
    config = CONFIG.format(url=upstream.url, more="")
    assert before in config
    assert ask(running).cache == "miss"
    running.reload(config.replace(before, after))
    assert ask(running).cache == "miss"
    running.reload(config)
    assert ask(running).cache == "exact"


def test_what_a_revoked_key_left_is_not_served(running: GatewayThread, upstream: SimulatorThread) -> None:
    """Not even once a key of the same name exists again."""
    config = CONFIG.format(url=upstream.url, more="")
    ask(running, key="sk-b")
    assert ask(running, key="sk-a").cache == "exact"
    running.reload(config.replace("name: b, secret: sk-b", "name: d, secret: sk-d"))
    assert ask(running, key="sk-a").cache == "miss"
    ask(running, "Two", key="sk-d")
    running.reload(config)
    running.reload(config.replace("name: b, secret: sk-b", "name: d, secret: sk-d"))
    assert ask(running, "Two", key="sk-a").cache == "miss"


def test_hits_count_as_requests_and_cost_nothing(running: GatewayThread) -> None:
    """A rate of requests holds for them, a budget does not move."""
    ask(running)
    left = ask(running, "More").headers["x-penstock-budget-left-usd"]
    ask(running)
    assert ask(running, "And more", cache="no-store").headers["x-penstock-budget-left-usd"] < left
    statuses = [ask(running, "Limited", key="sk-c").status for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_an_outage_is_answered_with_what_was_kept(upstream: SimulatorThread) -> None:
    """Too old for every day, good enough when nobody answers: marked degraded, and said in the ledger."""
    routes = """routes:
  again: {policy: {fallback: [flaky, {cached: {max_age_s: 600}}]}, cache: {exact: {ttl_s: 1}}}
  stale: {policy: flaky, cache: {exact: {ttl_s: 1, stale_if_error_s: 600}}}
  none: {policy: flaky, cache: {exact: {ttl_s: 1}}}
"""
    config = CONFIG.format(url=upstream.url, more="")
    config = config.replace("routes:\n", routes).replace(
        "deployments:", "deployments:\n  flaky: {provider: up, model: m, price: {input: 1, output: 1}}"
    )
    with GatewayThread(config) as running:
        for model in ("again", "stale", "none"):
            assert ask(running, model=model).cache == "miss"
        clock = running.context.clock
        made_ms = running.exchanges(3)[-1].ended_ms
        until(lambda: clock.now_ms() > made_ms + 1_100)  # their time is over
        upstream.play("error-503", count=None)
        for model in ("again", "stale"):
            told = ask(running, model=model)
            assert (told.status, told.cache, told.headers["x-penstock-degraded"]) == (200, "exact", "cached")
        assert ask(running, model="none").status >= 500
        assert ask(running, "Never asked before", model="again").status >= 500
        assert [row.code for row in running.exchanges(7)][3:5] == ["cached", "cached"]
