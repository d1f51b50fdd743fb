"""The loader: what a document becomes, and what each mistake is told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from penstock.config.document import (
    Document,
    FallbackNode,
    Secret,
    StaticNode,
    TargetNode,
    WeightedBranch,
    WeightedNode,
)
from penstock.config.load import ConfigError, Problem, load_file, load_text

BASE = """\
providers:
  sim: {kind: simulator}
"""


def problems(text: str, env: dict[str, str] | None = None) -> list[str]:
    """The rendered problems of a text that must not load."""
    with pytest.raises(ConfigError) as caught:
        load_text(text, env or {}, "p.yaml")
    return str(caught.value).splitlines()


def test_a_whole_document() -> None:
    """Everything that works today arrives in the types, exactly."""
    document = load_text(
        """\
version: 1
server: {listen: "127.0.0.1:4100", max_body_bytes: 2MiB, tls: {cert: c.pem, key: k.pem}}
journal: {retention: 7d, max_bytes: 10GB, on_journal_full: drop_and_count, fsync: turn}
defaults: {on_unknown_price: flag, provider_order: [sim, vllm], max_output_tokens: 4096}
providers:
  vllm: {kind: openai, base_url: "http://127.0.0.1:8000/v1/", api_key: "${VLLM_KEY}"}
  sim: {kind: simulator}
deployments:
  llama: {provider: vllm, model: llama-4, price: {input: 0.1, output: 0.3, batch: 0.5},
          set: {max_tokens: 64, stop: [a]}}
routes:
  support:
    policy:
      fallback:
        - weighted: [{use: llama, weight: 9}, sim/echo]
        - static: "Sorry."
    retry: {attempts: 3}
    timeouts: {total_s: 700}
    tags: {required: [feature]}
    success: {all: [not_error, finish]}
keys:
  - {name: dev, secret: "${KEY}", org: acme, team: research, routes: [support], tags: {tier: "1"},
     limits: {rpm: 600, concurrency: 5}, budget: {usd: 100.5, window: month}}
""",
        {"VLLM_KEY": "v", "KEY": "k"},
    )
    assert document.server.max_body_bytes == 2 * 1024**2
    assert (document.journal.retention_s, document.journal.max_bytes) == (7 * 86_400, 10_000_000_000)
    assert document.providers["vllm"].base_url == "http://127.0.0.1:8000/v1"
    assert document.providers["vllm"].api_key == Secret.template("${VLLM_KEY}")
    price = document.deployments["llama"].price
    assert price is not None
    assert (price.input, price.output, price.batch) == (Decimal("0.1"), Decimal("0.3"), Decimal("0.5"))
    assert document.deployments["llama"].set == {"max_tokens": 64, "stop": ["a"]}
    branches = (
        WeightedBranch(use=TargetNode(target="llama"), weight=9.0),
        WeightedBranch(use=TargetNode(target="sim/echo"), weight=1.0),
    )
    assert document.routes["support"].policy == FallbackNode(
        children=(WeightedNode(branches=branches), StaticNode(text="Sorry."))
    )
    key = document.keys[0]
    assert key.budget is not None
    assert (key.budget.nanousd, key.limits.rpm, key.tags) == (100_500_000_000, 600, {"tier": "1"})


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_an_empty_file_is_an_empty_document(text: str) -> None:
    """A file without content says nothing, which is allowed."""
    assert load_text(text, {}) == Document()


MISTAKES = {
    "unknown key": (
        "routes:\n  support:\n    poolicy: sim/echo\n    policy: sim/echo\n",
        "p.yaml:5:5: routes.support.poolicy: unknown key; did you mean 'policy'?",
    ),
    "unknown key far from all": (
        "server: {zzz: 1}\n",
        "p.yaml:3:10: server.zzz: unknown key; known keys: listen, admin_listen",
    ),
    "missing key": ("routes:\n  r: {}\n", "p.yaml:4:6: routes.r.policy: is missing; it is required here"),
    "null": (
        "server:\n  listen:\n",
        "p.yaml:4:3: server.listen: has no value; give it one, or remove the key",
    ),
    "yaml 1.1 boolean": (
        "keys: [{name: a, secret: abc, direct: yes}]\n",
        'p.yaml:3:39: keys[0].direct: expected true or false, got "yes"; write true or false, without quotes',
    ),
    "float for an integer": (
        "defaults: {max_output_tokens: 1e3}\n",
        'p.yaml:3:31: defaults.max_output_tokens: expected a whole number, got "1e3"; write 1000',
    ),
    "leading zero": (
        "defaults: {max_output_tokens: 017}\n",
        'p.yaml:3:31: defaults.max_output_tokens: expected a whole number, got "017"',
    ),
    "base 60": (
        "routes: {r: {policy: sim/echo, timeouts: {total_s: 1:30}}}\n",
        'p.yaml:3:52: routes.r.timeouts.total_s: expected a number, got "1:30"',
    ),
    "number for text": (
        "deployments: {d: {provider: sim, model: 4.10}}\n",
        "p.yaml:3:41: deployments.d.model: expected text, got the number 4.10; put it in quotes",
    ),
    "quoted number": (
        'defaults: {max_output_tokens: "10"}\n',
        'p.yaml:3:31: defaults.max_output_tokens: expected a whole number, got "10"; remove the quotes',
    ),
    "out of bounds": (
        "routes: {r: {policy: sim/echo, retry: {attempts: 0}}}\n",
        "p.yaml:3:50: routes.r.retry.attempts: expected a whole number >= 1",
    ),
    "choice": (
        "journal: {fsync: tun}\n",
        'p.yaml:3:18: journal.fsync: expected one of interval, never, turn, got "tun"; did you mean',
    ),
    "address": (
        "server: {listen: 127.0.0.1}\n",
        "p.yaml:3:18: server.listen: not an address with a port; write host:port",
    ),
    "window": (
        "keys: [{name: a, secret: abc, budget: {usd: 1, window: fortnight}}]\n",
        "p.yaml:3:56: keys[0].budget.window: expected one of day, hour, month, total, week",
    ),
    "too many digits of money": (
        "keys: [{name: a, secret: abc, budget: {usd: 0.0000000001, window: day}}]\n",
        "p.yaml:3:45: keys[0].budget.usd: out of range",
    ),
    "weight": (
        "routes: {r: {policy: {weighted: [{use: sim/echo, weight: 0}]}}}\n",
        "p.yaml:3:58: routes.r.policy.weighted[0].weight: expected a number > 0.0",
    ),
    "policy list": (
        "routes: {r: {policy: [sim/echo]}}\n",
        "p.yaml:3:22: routes.r.policy: a list alone is no policy; write fallback: [ … ]",
    ),
    "policy node": (
        "routes: {r: {policy: {fallbak: [sim/echo]}}}\n",
        "p.yaml:3:23: routes.r.policy.fallbak: unknown policy node; did you mean 'fallback'?",
    ),
    "two policy nodes": (
        "routes: {r: {policy: {fallback: [sim/echo], static: x}}}\n",
        "p.yaml:3:22: routes.r.policy: a policy node has one key; it has fallback and static",
    ),
    "static before the end": (
        "routes: {r: {policy: {fallback: [{static: x}, sim/echo]}}}\n",
        "p.yaml:3:33: routes.r.policy.fallback[0]: what follows a static answer is never tried",
    ),
    "unknown deployment": (
        "deployments: {sonnet: {provider: sim, model: x}}\nroutes: {r: {policy: sonet}}\n",
        "p.yaml:4:22: routes.r.policy: no deployment 'sonet'; did you mean 'sonnet'?",
    ),
    "unknown provider": (
        "routes: {r: {policy: smi/echo}}\n",
        "p.yaml:3:22: routes.r.policy: no provider 'smi' for 'smi/echo'; did you mean 'sim/echo'?",
    ),
    "route as a target": (
        "routes: {r: {policy: sim/echo}, s: {policy: r}}\n",
        "p.yaml:3:45: routes.s.policy: 'r' is a route; a policy names deployments or provider/model",
    ),
    "same name": (
        "deployments: {a: {provider: sim, model: x}}\nroutes: {a: {policy: sim/echo}}\n",
        "p.yaml:4:10: routes.a: a deployment has the same name; clients could not tell",
    ),
    "unknown route of a key": (
        "routes: {support: {policy: sim/echo}}\nkeys: [{name: a, secret: abc, routes: [zupport]}]\n",
        "p.yaml:4:40: keys[0].routes[0]: no route 'zupport'; did you mean 'support'?",
    ),
    "two keys with a secret": (
        "keys: [{name: a, secret: abc}, {name: b, secret: abc}]\n",
        "p.yaml:3:42: keys[1].secret: another key has the same secret; give each its own",
    ),
    "two keys with a name": (
        "keys: [{name: a, secret: abc}, {name: a, secret: xyz}]\n",
        "p.yaml:3:33: keys[1].name: another key is called 'a'; rename one",
    ),
    "organisation that is not listed": (
        "orgs: {acme: {}}\nkeys: [{name: a, secret: abc, org: acne}]\n",
        "p.yaml:4:31: keys[0].org: no organisation 'acne'; did you mean 'acme'?",
    ),
    "owned parameter": (
        "deployments: {d: {provider: sim, model: x, set: {Model: y}}}\n",
        "p.yaml:3:50: deployments.d.set.Model: cannot be set; the gateway owns this parameter",
    ),
    "price without units": (
        "deployments: {d: {provider: sim, model: x, price: {batch: 0.5}}}\n",
        "p.yaml:3:44: deployments.d.price: a price without any unit",
    ),
    "framing header": (
        "  v: {kind: openai, base_url: 'http://h', headers: {Content-Length: '5'}}\n",
        "p.yaml:3:53: providers.v.headers.Content-Length: cannot be set; the HTTP client owns it",
    ),
    "header name": (
        "  v: {kind: openai, base_url: 'http://h', headers: {'a b': '5'}}\n",
        'p.yaml:3:53: providers.v.headers["a b"]: cannot be set; it is no header name',
    ),
    "metadata service": (
        "server: {control_url: 'http://169.254.169.254/latest'}\n",
        "p.yaml:3:23: server.control_url: the address of a cloud's metadata service",
    ),
    "name with a slash": (
        "routes: {a/b: {policy: sim/echo}}\n",
        'p.yaml:3:10: routes["a/b"]: "a/b" is not usable as a name; use letters',
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_a_way_out(name: str) -> None:
    """Each mistake has one message with line, column, path and what to do."""
    text, expected = MISTAKES[name]
    assert any(line.startswith(expected) for line in problems(BASE + text)), problems(BASE + text)


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    """Three independent mistakes of different kinds are three problems."""
    told = problems(
        "server: {workers: x, listn: 1}\nroutes: {r: {policy: nope}}\nproviders: {a: {kind: simulator}}\n"
    )
    assert [line.split(": ")[1] for line in told] == [
        "server.workers",
        "server.listn",
        "routes.r.policy",
    ]


def test_a_slip_in_a_kind_is_not_a_kind_that_comes_later() -> None:
    """One problem with the nearest name, not a second one that says that it needs to be built."""
    with pytest.raises(ConfigError) as caught:
        load_text("providers: {sim: {kind: open-ai}}", {})
    (problem,) = caught.value.problems
    assert "did you mean 'openai'?" in str(problem)


def test_organisations_are_founded_by_keys_when_none_are_listed() -> None:
    """Without `orgs`, a key's org and team need no entry."""
    document = load_text("keys: [{name: a, secret: abc, org: acme, team: t}]", {})
    assert (document.keys[0].org, document.orgs) == ("acme", {})


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a directory, binary rubbish and an endless file are one clear line each."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "big").write_text("#" * 1_000_001)
    told: dict[str, str] = {}
    for name in ("missing", ".", "binary", "big"):
        with pytest.raises(ConfigError) as caught:
            load_file(tmp_path / name, {})
        told[name] = caught.value.problems[0].message
    assert told == {
        "missing": "No such file or directory",
        ".": "Is a directory",
        "binary": "not UTF-8 text",
        "big": "larger than 1000000 bytes",
    }


def test_a_file_loads_with_its_path_in_messages(tmp_path: Path) -> None:
    """Messages start with the path that was given."""
    path = tmp_path / "penstock.yaml"
    path.write_text("verzion: 1\n")
    with pytest.raises(ConfigError) as caught:
        load_file(path, {})
    assert str(caught.value) == f"{path}:1:1: verzion: unknown key; did you mean 'version'?"
    assert caught.value.problems == (
        Problem(path="verzion", line=1, column=1, message="unknown key", hint="did you mean 'version'?"),
    )
