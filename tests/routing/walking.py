"""Targets, requests and walks for tests of policies, without any gateway."""

from __future__ import annotations

import json
from collections.abc import Callable

from msgspec.structs import replace

from penstock.core.exchange import RequestFacts, Subject
from penstock.core.itinerary import Ask, AttemptOutcome, GiveUp, Repeat, Start, Static, Wait
from penstock.core.origin import Origin
from penstock.core.plan import VirtualKey
from penstock.core.policy import PolicyNode, TargetNode
from penstock.core.price import Ceiling, rate_card
from penstock.core.retry import RetryRule
from penstock.core.retry_share import RetryShare
from penstock.core.target import Target
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.routing.floors import Floors
from penstock.routing.policies import cursor_for
from penstock.routing.standings import Standings
from penstock.routing.view import Learnt, RequestView, nothing_learnt
from penstock.routing.walk import Walk

NOW = 1_000.0
MOST_STEPS = 1_000
ORIGIN = Origin("http", "127.0.0.1", 9)


def target(name: str, price_in: float | None = None, price_out: float | None = None) -> Target:
    """A target; with prices in dollars per million tokens, or without any."""
    card = None
    if price_in is not None:
        card = rate_card(name, {"input": price_in, "output": price_in if price_out is None else price_out})
    return Target(
        id=name,
        provider=name.partition("/")[0],
        kind="openai",
        model=name,
        model_json=json.dumps(name).encode(),
        origin=ORIGIN,
        base_path=b"",
        auth=b"",
        secrets=(),
        card=card,
        ceiling=Ceiling(card) if card is not None else None,
    )


def node(name: str, price_in: float | None = None, price_out: float | None = None) -> TargetNode:
    """A node with such a target."""
    return TargetNode(target(name, price_in, price_out))


def view(
    prompt: str = "Hello",
    *,
    path: str = "/v1/chat/completions",
    tags: dict[str, str] | None = None,
    key: VirtualKey | None = None,
    subject: Subject | None = None,
    session: str = "",
    ts_ms: int = 0,
    policy: PolicyNode | None = None,
    learnt: Callable[[str], Learnt] = nothing_learnt,
    floors: Floors | None = None,
    region: str = "",
    request_id: str = "req_1",
    **body: object,
) -> RequestView:
    """A chat request as a policy sees it; `body` has more of its members."""
    whole = {"model": "r", "messages": [{"role": "user", "content": prompt}], **body}
    request = decode(ENDPOINTS[path], json.dumps(whole).encode(), b"application/json")
    facts = RequestFacts(
        request_id, ts_ms, "openai", "chat", "r", "r", request.stream, session, "", "", "", tags or {}
    )
    key = key or VirtualKey("dev", b"", Subject("acme", "", "", "dev"))
    return RequestView(request, facts, subject or key.subject, key, learnt, policy, region, floors)


def walk_of(seen: RequestView, standings: Standings | None = None, attempts: int = 1) -> Walk:
    """A walk of one exchange."""
    return Walk(RetryRule(attempts=attempts), RetryShare(), seen, standings or Standings())


def tried(
    policy: PolicyNode,
    walk: Walk,
    draw: float = 0.5,
    outcome: Callable[[Target], AttemptOutcome] | None = None,
    now: float = NOW,
) -> tuple[list[str], object]:
    """The ids of the targets that are tried where each fails, in order, and the last step."""
    cursor = cursor_for(policy, walk)
    told: AttemptOutcome | None = None
    found: list[str] = []
    for _ in range(MOST_STEPS):
        step = cursor.step(told, now, draw)
        if isinstance(step, Start):
            walk.started += 1
            found.append(step.target.id)
            told = outcome(step.target) if outcome is not None else AttemptOutcome("fallback", "status_500")
            told = replace(told, attempt=walk.started)
        elif isinstance(step, Ask):
            told = AttemptOutcome("fallback", "webhook_failed", attempt=walk.started)
        elif isinstance(step, Repeat):
            told = AttemptOutcome("fallback", "nothing_kept", attempt=walk.started)
        elif isinstance(step, Wait):
            told = None
            now += step.delay_s
        else:
            assert isinstance(step, GiveUp | Static), step
            return found, step
    raise AssertionError(f"a policy that does not end: {found[:40]}")


def first(policy: PolicyNode, seen: RequestView, draw: float = 0.5, standings: Standings | None = None) -> str:
    """The id of the target that is tried first."""
    return tried(policy, walk_of(seen, standings), draw)[0][0]
