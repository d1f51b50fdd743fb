"""Nobody gets an answer that was made for another namespace, whatever is asked, in any order."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace

import pytest

from penstock.core.cache_plan import CachePlan, CacheScope
from penstock.core.exchange import Subject
from penstock.core.origin import Origin
from penstock.core.plan import VirtualKey
from penstock.pipeline.gateway import Gateway
from penstock.ports.http_server import HttpRequest
from penstock.ports.transport import ResponseHandler
from tests.fault.world import HEAD, FakeCall, FakeReply, FakeTransport, World

ORGS = 100
SCOPES: tuple[CacheScope, ...] = ("org", "team", "user", "key")
QUESTIONS = ("Hi", "Who wrote Faust?", "Where is my order?", "Name a river", "2+2")


class Telling(FakeTransport):
    """Answers at once with the name of the one for whom it was asked."""

    whose = ""

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> FakeCall:
        """See ports.transport."""
        del origin, request, connect_s
        message = {"role": "assistant", "content": self.whose}
        usage = {"prompt_tokens": 5, "completion_tokens": 2}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        body = json.dumps({"id": "c", "model": "m", "choices": choices, "usage": usage}).encode()
        call = FakeCall(self, handler, [])

        def answer() -> None:
            handler.on_connected(reused=False)
            handler.on_head(200, dict(HEAD))
            handler.on_data(body)
            handler.on_end()

        self.clock.call_soon(answer)
        return call


def keys() -> list[VirtualKey]:
    """Two keys of each organisation, in two teams; users of the same names everywhere."""
    made: list[VirtualKey] = []
    for org in range(ORGS):
        for number, user in enumerate(("ann", "")):
            subject = Subject(f"org{org}", f"team{number}", user, f"k{org}-{number}")
            secret = hashlib.sha256(f"sk-{org}-{number}".encode()).digest()
            made.append(VirtualKey(subject.key, secret, subject))
    return made


def namespace(scope: str, subject: Subject, user: str, question: str) -> tuple[str, ...]:
    """Who may share an answer."""
    whose = {"org": (), "team": (subject.team,), "user": (user,), "key": (subject.key,)}[scope]
    personal = (user,) if "my order" in question else ()
    return (subject.org, *whose, *personal)


def play(count: int, seed: int) -> tuple[int, int]:
    """So many random requests; how many were hits, and of how many namespaces."""
    draw = random.Random(seed)
    world = World(stream=False)
    world.transport = Telling(world.clock, world.faults, stream=False)
    world.context.transport = world.transport
    plan = world.context.plan
    routes = {
        scope: replace(plan.routes["chat"], name=scope, cache=CachePlan(b"same", scope=scope))
        for scope in SCOPES
    }
    known = keys()
    world.context.swap(replace(plan, routes=routes, keys={key.secret_hash: key for key in known}, accounts={}))
    gateway, hits, spaces = Gateway(world.context), 0, set[tuple[str, ...]]()
    for _ in range(count):
        key, scope, question = draw.choice(known), draw.choice(SCOPES), draw.choice(QUESTIONS)
        tagged = draw.choice(("", "ann", "joe")) if not key.subject.user else ""
        user = key.subject.user or tagged
        mine = (scope, *namespace(scope, key.subject, user, question))
        number = key.id.removeprefix("k")
        headers = {b"authorization": f"Bearer sk-{number}".encode(), b"content-type": b"application/json"}
        if tagged:
            headers[b"x-penstock-tags"] = f"user={tagged}".encode()
        asked = {"model": scope, "messages": [{"role": "user", "content": question}]}
        request = HttpRequest(
            b"POST", "/v1/chat/completions", b"", headers, json.dumps(asked).encode(), 0.0, "127.0.0.1"
        )
        world.transport.whose = json.dumps(mine)
        reply = FakeReply(world.faults)
        gateway.handle(request, reply)
        world.clock.run_soon()
        assert reply.status == 200, reply.body
        made_for = json.loads(json.loads(reply.body)["choices"][0]["message"]["content"])
        assert tuple(made_for) == mine, (made_for, mine, question)
        row = world.exchanges[-1]
        if row.cache == "exact":
            hits += 1
            spaces.add(mine)
            assert user or scope != "user"
        world.journal.events.clear()
    return hits, len(spaces)


def test_no_hit_crosses_a_namespace() -> None:
    """Random keys of a hundred organisations, scopes, users and questions, a few thousand times."""
    hits, spaces = play(6_000, seed=1)
    assert hits > 1_000
    assert spaces > 200


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_no_hit_crosses_a_namespace_in_a_million_requests() -> None:
    """The same, a million times."""
    hits, spaces = play(1_000_000, seed=2)
    assert hits > 500_000
    assert spaces > 500
