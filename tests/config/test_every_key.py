"""Every key of the document does something or is refused: an accepted key without effect would be relied on."""

from __future__ import annotations

import copy
import dataclasses
import json
import ssl
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from penstock.adapters.fleet.seal import FleetToken
from penstock.adapters.redis.address import RedisAddress
from penstock.bootstrap.answers import store_of
from penstock.bootstrap.control import vault_place
from penstock.bootstrap.control_service import engine_for
from penstock.bootstrap.gateway import journal_settings
from penstock.bootstrap.listening import server_limits
from penstock.bootstrap.places import admin_address, listening_sockets
from penstock.bootstrap.redis_part import tls_of
from penstock.bootstrap.sharing import away_of
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.tls import tls_context
from penstock.bootstrap.worker import alert_settings
from penstock.bootstrap.worker_settings import settings_from
from penstock.cli.files import state_dir
from penstock.cli.roles import leave_s
from penstock.compile.alerts import budgets_of
from penstock.compile.plan import compile_plan
from penstock.compile.review import review
from penstock.config.document import Document
from penstock.config.load import ConfigError, load_file
from penstock.config.merge import items_of
from penstock.config.schema import unwrapped
from penstock.control.drills import planned_of
from penstock.control.route_card import route_card
from penstock.core.policy import PolicyNode
from penstock.core.price import Ceiling
from penstock.core.price_book import PriceBook
from penstock.core.rates import RateCard
from penstock.core.screen_plan import ScreenPlan
from tests.config.logins import PROVIDER, logins_of
from tests.config.other_values import ENDS, SIGNING, VALUES, Value
from tests.transport.certificates import Authority

BOUNDS: dict[str, Value] = {
    "budget": {"usd": 1, "window": "day", "downgrade": {"to": "r", "at": 0.25}},
    "budgets": [{"usd": 1, "window": "month", "downgrade": {"to": "r", "at": 0.25}}],
    "limits": {"rates": [{"unit": "input_tokens", "per": "hour", "limit": 5}]},
}
PROBED: dict[str, Value] = {"probe": {"every_s": 5}}
FACTS: dict[str, Value] = {
    "retention_days": 5,
    "source": "contract",
    "verified": "2026-04-01",
    "url": "https://facts.example",
    "endpoints": {"chat": {"certified": ["iso"], "url": "https://chat.example"}},
}
OWN: dict[str, Value] = {"p": {"api_key": "own", "headers": {"x-a": "c"}, "facts": FACTS}}
# A document that has a place for every key that is not refused; `*` stands for the name or index used here.
BASE: dict[str, Value] = {
    "version": 1,
    "defaults": {"health": PROBED},
    "server": {
        "listen": "127.0.0.1:0",
        "tls": {"cert": "CERT", "key": "KEY"},
        "control_listen": "127.0.0.1:0",
        "control_token": "a secret that others have as well",
    },
    "providers": {
        "p": {
            "kind": "openai",
            "base_url": "http://127.0.0.1:9/v1",
            "api_key": "k",
            "headers": {"x-a": "b"},
            "facts": FACTS,
        },
        "q": {"kind": "openai", "base_url": "http://127.0.0.1:9/v2"},
        "c": {"kind": "anthropic", "api_key": "k"},
    },
    "deployments": {
        "d": {
            "provider": "p",
            "model": "m",
            "pin": {"model": "m"},
            "price": {
                "input": 1,
                "inner": {"adviser": {"input": 1}},
                "service_tier": {"flex": 0.5},
                "tiers": [{"above_input": 10, "input": 2}],
            },
            "set": {"top_p": 0.5},
            "health": PROBED,
            "budget": BOUNDS["budget"],
            "limits": BOUNDS["limits"],
            "facts": FACTS,
        }
    },
    "orgs": {
        "o": {
            "credentials": OWN,
            "teams": {"t": {"credentials": OWN, **BOUNDS}},
            "users": {"u": dict(BOUNDS)},
            "tags": {"a": {"b": dict(BOUNDS)}},
            "throttles": {"h": {"user": "u", "until": "2036-01-01", "limits": BOUNDS["limits"]}},
            **BOUNDS,
        },
        "o2": {"teams": {"t": {}}},
    },
    "auth": {
        "public_url": "https://gate.example",
        "oidc": {"i": PROVIDER},
        "tokens": {
            "j": {
                "issuer": "https://id.example",
                "audience": ["a"],
                "org_claim": "org",
                "team_claim": "team",
                "routes": ["r"],
                "require": {"tier": "x"},
                "tags": {"a": "b"},
                **{name: BOUNDS[name] for name in ("limits", "budget", "budgets") if name in BOUNDS},
            }
        },
    },
    "routes": {
        "r": {
            "policy": {"fallback": ["d", "c/claude"]},
            "prompt_cache": "auto",
            "compress": "lossy",
            "structured": {"aliases": {"city": {"big": "small"}}},
            "mirror": {"to": "q/m", "percent": 5},
            "evals": {"judge": "d", "budget": {"usd": 1}},
            "cache": {"exact": {"ttl_s": 60}},
            "guards": {"input": ["g"], "output": ["g"]},
            "drill": {"to": "c/claude"},
            **BOUNDS,
        },
        "r2": {"policy": "q/m"},
    },
    "keys": [
        {
            "name": "k",
            "secret": "s-secret",
            "org": "o",
            "routes": ["r"],
            "tags": {"a": "b"},
            "previous": [{"secret": "s-before", "until": "2036-01-01"}],
            **BOUNDS,
        },
        {"name": "k2", "secret": "s-second", "org": "o", "team": "t", "routes": ["r"]},
    ],
    "guards": {
        "g": {"kind": "regex", "patterns": ["a"], "action": "redact"},
        "g2": {"kind": "keywords", "words": ["a"]},
    },
    "vault": {"address": "http://127.0.0.1:8", "token": "t", "secret_id": "s"},
    "alerts": {
        "webhooks": {"w": {"url": "http://127.0.0.1:9/a", "secret": SIGNING}},
        "outliers": {"times": 3},
        "actions": {"n": {"kinds": ["x"], "limits": BOUNDS["limits"]}},
    },
}
PLACES = {
    "providers": "p",
    "deployments": "d",
    "orgs": "o",
    "routes": "r",
    "keys": 0,
    "tiers": 0,
    "teams": "t",
    "guards": "g",
    "context": "<a>",
    "options": "x",
    "webhooks": "w",
    "throttles": "h",
    "actions": "n",
    "headers": "x-a",
    "service_tier": "flex",
    "inner": "adviser",
    "tags": "a",
    "set": "top_p",
    "users": "u",
    "budgets": 0,
    "rates": 0,
    "a": "b",
    "credentials": "p",
    "endpoints": "chat",
    "previous": 0,
    "tokens": "j",
    "require": "tier",
    "oidc": "i",
    "roles": 0,
    "aliases": "city",
    "city": "big",
}
# A day on which the facts above are younger than the default age, and older than a short one.
REVIEWED = date(2026, 5, 1)
# Keys that have one possible value, and those that exclude what the base says (tests/tokens, tests/fleet), or
# are for another kind of provider (tests/gateway/test_pins.py).
FIXED = {
    *("version", "orgs.*.throttles.*.key", "auth.tokens.*.org", "auth.tokens.*.team", "server.control_url"),
    *("deployments.*.pin.hosts", "deployments.*.pin.quantizations"),
}


def leaves(kind: inspect.Type, path: str = "") -> Iterator[tuple[str, inspect.Type]]:
    """Every key that holds a value, with `*` for any name or index."""
    inner, reads = unwrapped(kind)
    if isinstance(inner, inspect.StructType) and not reads:
        for field in inner.fields:
            yield from leaves(field.type, f"{path}.{field.encode_name}" if path else field.encode_name)
    elif isinstance(inner, inspect.DictType) and not reads:
        yield from leaves(inner.value_type, f"{path}.*")
    elif isinstance(inner, inspect.VarTupleType) and isinstance(inner.item_type, inspect.StructType):
        yield from leaves(inner.item_type, f"{path}.*")
    else:
        yield path, kind


LEAVES = dict(leaves(inspect.type_info(Document)))


READ = {
    "address": "127.0.0.3:0",
    "url": "http://127.0.0.1:11",
    "network": "10.0.0.0/8",
    "moment": "2036-05-01T10:00:00Z",
}


def values(path: str, kind: inspect.Type) -> list[Value]:
    """Values for a key: all others than the default one of a choice, else one that is likely to be new."""
    inner, reads = unwrapped(kind)
    chosen = [VALUES[path]] if path in VALUES else [value for end, value in ENDS.items() if path.endswith(end)]
    if chosen:
        return chosen[:1]
    if isinstance(inner, inspect.LiteralType):
        return list(inner.values)
    if isinstance(inner, inspect.VarTupleType):
        return [values("", inner.item_type)]
    if reads in READ:
        return [READ[reads]]
    if isinstance(inner, inspect.BoolType):
        return [True]
    if isinstance(inner, inspect.IntType):
        return [7]
    if isinstance(inner, inspect.FloatType) or reads == "decimal":
        return [0.5]
    return ["2026-05-01" if isinstance(inner, inspect.DateType) else "another"]


def changed(path: str, value: Value) -> dict[str, Value]:
    """The base with one key set; names and lists on the way are made where the base has none."""
    document = copy.deepcopy(BASE)
    at: Value = document
    steps: list[str | int] = []
    for step in path.split("."):
        steps.append(PLACES[str(steps[-1])] if step == "*" else step)
    for step, following in pairwise(steps):
        if isinstance(step, str) and step not in at:
            at[step] = [{}] if isinstance(following, int) else {}
        at = at[step]
    at[steps[-1]] = value
    return document


def seen(value: Value) -> Value:
    """Everything in a compiled value, hidden fields included, but for names that are made from the document."""
    if isinstance(value, RateCard):
        return seen(msgspec.structs.astuple(msgspec.structs.replace(value, version="")))
    if isinstance(value, Ceiling):
        return value.nanousd(1_000, 1_000, 1)
    if isinstance(value, msgspec.Struct):
        return seen(msgspec.structs.astuple(value))
    if dataclasses.is_dataclass(value):
        return [(each.name, seen(getattr(value, each.name))) for each in dataclasses.fields(value)]
    if isinstance(value, ScreenPlan):
        value = [value.digest, value.context, *[each.name for each in (*value.input, *value.output)]]
    if isinstance(value, PolicyNode):
        slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        return [type(value).__name__, *[(name, seen(getattr(value, name))) for name in slots]]
    if type(value) is dict:
        return seen(list(value.items()))  # pyright: ignore[reportUnknownArgumentType]
    if type(value) in {list, tuple}:
        return [seen(each) for each in value]
    return repr(value)


def effects(document: dict[str, Value], folder: Path) -> Value:
    """What the processes make of a document: Plan, settings, socket, certificate, folder."""
    file = folder / "penstock.yaml"
    text = (
        json.dumps(document).replace('"CERT"', f'"{folder}/cert.pem"').replace('"KEY"', f'"{folder}/key.pem"')
    )
    file.write_text(text)
    loaded = load_file(file, {})
    plan = compile_plan(
        loaded,
        revision="",
        prices=PriceBook("none", {}),
        reveal=lambda secret: secret.resolve({}),
        urls={"simulator": "http://127.0.0.1:1/v1"},
        now_ms=0,
    )
    try:
        tls = str(type(tls_context(loaded.server.tls)))
    except (OSError, ssl.SSLError) as error:
        tls = repr(error)
    socks = listening_sockets(loaded.server.listen, loaded.server.workers)
    host = (socks[0].getsockname()[0], len(socks))
    for sock in socks:
        sock.close()
    redis = loaded.server.redis_url
    try:
        redis_tls = str(type(tls_of(loaded)))
    except OSError as error:
        redis_tls = repr(error)
    shared = (
        loaded.server.cors.origins,
        redis_tls,
        loaded.server.redis_tls.server_name,  # tests/accounts/test_redis_tls.py has its effect
        away_of(loaded, 1.0).fail_open,
        RedisAddress.parse(redis.resolve({})) if redis is not None else None,
    )
    pages = loaded.server.cors.origins  # tests/server/test_browsers.py has their effect
    settings: list[object] = [journal_settings(loaded), server_limits(loaded), settings_from(loaded), pages]
    settings.append(store_of(loaded))
    alerts = alert_settings(loaded, {})
    acts = (list(alerts.actions.values()), loaded.alerts.outliers)
    spent = budgets_of(loaded, {"user:o/x": {0: 1}}, 0)
    told = (alerts.webhooks, acts, alerts.cooldown_ms, alerts.document.alerts.deprecations, spent)
    vault = (vault_place(loaded, {}), loaded.vault.refresh_s)
    people = [item.body for item in items_of(document, loaded) if item.kind == "user"]
    engine = engine_for(loaded, StateDir(folder))
    engine.dispose()
    root, admin = str(state_dir(file, None).root), admin_address(loaded.server, 4000)
    token = loaded.server.control_token
    fleet = (loaded.server.control_listen, FleetToken(token.resolve({})).bearer if token is not None else "")
    fleet += (loaded.server.control_ca_file,)  # tests/fleet follows with it
    leaving = (loaded.server.drain, leave_s(loaded))
    away = [fleet, leaving, logins_of(loaded), vault, admin, shared, str(engine.url)]
    lives = [planned_of(loaded), *[each.evals and each.evals.half_life for each in loaded.routes.values()]]
    return seen([plan, settings, told, tls, host, root, people, away, lives])


def shown(document: dict[str, Value], folder: Path) -> Value:
    """What people are told of a document: warnings, and the card of its first route."""
    file = folder / "penstock.yaml"
    file.write_text(json.dumps(document))
    loaded = load_file(file, {})
    return seen([review(loaded, REVIEWED), route_card(loaded, "r", REVIEWED)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate."""
    made = tmp_path_factory.mktemp("keys")
    certificate, key = Authority().pair("localhost")
    (made / "cert.pem").write_bytes(certificate)
    (made / "key.pem").write_bytes(key)
    return made


@pytest.mark.parametrize("path", sorted(set(LEAVES) - FIXED))
def test_a_key_has_an_effect_or_is_refused(path: str, folder: Path) -> None:
    """Each other value of the key changes what runs, or is an error that says what it needs."""
    base = effects(BASE, folder)
    # A choice may name its own default.
    allowed = 1 if isinstance(unwrapped(LEAVES[path])[0], inspect.LiteralType) else 0
    silent = [value for value in values(path, LEAVES[path]) if is_silent(changed(path, value), base, folder)]
    assert len(silent) <= allowed, silent


def is_silent(document: dict[str, Value], base: Value, folder: Path) -> bool:
    """Whether a document is taken and does what the base does."""
    try:
        if effects(document, folder) != base:
            return False
        return bool(shown(document, folder) == shown(BASE, folder))
    except ConfigError as error:
        told = [each.message for each in error.problems]
    reasons = ("which this version does not have yet", "has no effect")
    assert any(reason in message for message in told for reason in reasons), told
    return False
