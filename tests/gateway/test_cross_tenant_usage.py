"""What the gateway itself tells a key: a matrix of keys and of what is others'."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask

PLACES = [(org, team, user) for org in ("acme", "beta") for team, user in (("red", "jane"), ("blue", "joe"))]
BOUND = "limits: {rpm: 1000}, budget: {usd: 100, window: month}"


def key_of(place: tuple[str, str, str]) -> str:
    """The name of the key of a place; the secret is `sk-` and the name."""
    return "-".join(("key", *place))


def config(url: str) -> str:
    """Two organisations with the same two teams and users, each with a key, limits, a budget and a throttle."""

    def org(name: str) -> str:
        people = ", ".join(f"{user}: {{{BOUND}}}" for user in ("jane", "joe"))
        teams = ", ".join(f"{team}: {{{BOUND}}}" for team in ("red", "blue"))
        throttles = ", ".join(
            f'of-{name}-{user}: {{user: {user}, until: "2090-01-01T00:00:00Z", why: "why-of-{name}-{user}"}}'
            for user in ("jane", "joe")
        )
        return f"  {name}: {{{BOUND}, users: {{{people}}}, teams: {{{teams}}}, throttles: {{{throttles}}}}}"

    keys = "".join(
        f"  - {{name: {key_of(p)}, secret: sk-{key_of(p)}, org: {p[0]}, team: {p[1]}, user: {p[2]}, {BOUND}}}\n"
        for p in PLACES
    )
    return f"""
version: 1
providers: {{up: {{kind: openai, base_url: "{url}/v1"}}}}
deployments: {{main: {{provider: up, model: echo, price: {{request: 0.01}}, {BOUND}}}}}
routes: {{chat: {{policy: main}}}}
orgs:
{org("acme")}
{org("beta")}
keys:
{keys}"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[GatewayThread]:
    """Everybody has asked once."""
    with SimulatorThread() as simulator, GatewayThread(config(simulator.url)) as running:
        for place in PLACES:
            assert ask(running.url, "chat", key=f"sk-{key_of(place)}").status == 200
        yield running


def usage(running: GatewayThread, key: str) -> dict[str, Any]:
    """`GET /v1/usage`."""
    request = urllib.request.Request(running.url + "/v1/usage", headers={"Authorization": f"Bearer sk-{key}"})
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


@pytest.mark.parametrize(("who", "other"), [pair for pair in product(PLACES, PLACES) if pair[0] != pair[1]])
def test_usage_names_nobody_else(
    gateway: GatewayThread, who: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """No account, throttle or reason of another organisation, nor of another team and user of one's own."""
    told = usage(gateway, key_of(who))
    accounts = {each["account"] for each in told["accounts"]}
    org, team, user = who
    mine = {f"key:{key_of(who)}", f"user:{org}/{user}", f"team:{org}/{team}", f"org:{org}"}
    assert accounts == {*mine, f"throttle:{org}/of-{org}-{user}"}
    assert [each["why"] for each in told["throttles"]] == [f"why-of-{org}-{user}"]
    text = json.dumps(told)
    assert key_of(other) not in text
    assert f"of-{other[0]}-{other[2]}" not in text


@pytest.mark.parametrize("who", PLACES)
def test_what_others_used_counts_only_where_it_is_shared(
    gateway: GatewayThread, who: tuple[str, str, str]
) -> None:
    """The organisation's sum has both of its users, each other account one request."""
    used = {
        each["account"]: each["limits"][0]["used"]
        for each in usage(gateway, key_of(who))["accounts"]
        if each["limits"]
    }
    assert used.pop(f"org:{who[0]}") == 2
    assert set(used.values()) == {1}
