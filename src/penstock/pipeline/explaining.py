"""Explaining where a request would be led: read and resolved as if it came from a client, and never sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.admission.tags import read_tags
from penstock.core.errors import Refusal
from penstock.core.exchange import RequestFacts, Subject
from penstock.core.fair_queue import NORMAL
from penstock.core.plan import Plan, Route, VirtualKey
from penstock.core.question import Question
from penstock.core.retry_share import RetryShare
from penstock.dialects.native import decode_native
from penstock.dialects.openai.decode import decode
from penstock.dialects.paths import Found, find
from penstock.routing.explain import Told, explain
from penstock.routing.floors import Floors
from penstock.routing.resolve import Resolver
from penstock.routing.standings import Standings
from penstock.routing.view import Learnt, RequestView, nothing_learnt
from penstock.routing.walk import Walk
from penstock.shapes.openai_request import OpenAIRequest

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
NOBODY = "nobody"


class Live:
    """What a running gateway knows: how targets are doing, what they have taught, whose scores are too low."""

    __slots__ = ("floors", "learnt", "now", "now_ms", "standings")

    def __init__(
        self,
        standings: Standings,
        learnt: Callable[[str], Learnt],
        floors: Floors | None,
        now: float,
        now_ms: int,
    ) -> None:
        self.standings = standings
        self.learnt = learnt
        self.floors = floors
        self.now = now
        self.now_ms = now_ms


def not_live(now_ms: int) -> Live:
    """What is known where no gateway is asked: nothing but the configuration."""
    return Live(Standings(), nothing_learnt, None, 0.0, now_ms)


def explained(plan: Plan, resolver: Resolver, question: Question, live: Live) -> Told:
    """The explanation (routing.explain), and what policies see of the request. Raises Refusal."""
    body = bytes(question.body)
    key = _key(plan, question.key)
    request = _read(body, question)
    route = resolver.resolve(question.route or request.model, key)
    tags = read_tags(None, {**request.metadata, **question.tags}, key.tags)
    subject = key.subject
    user = question.user or tags.get("user", "")
    if not subject.user and user:
        subject = Subject(subject.org, subject.team, user, subject.key)
    view = _view(request, route, key, subject, tags, plan, live)
    walk = Walk(route.retry, RetryShare(), view, live.standings)
    told = explain(route, key.scope, request.endpoint, walk, live.now, question.draw)
    told["request"] = {
        "endpoint": request.endpoint.name,
        "dialect": request.endpoint.dialect,
        "org": subject.org,
        "team": subject.team,
        "user": subject.user,
        "key": key.id,
        "tags": tags,
        **{
            name: view.value(name)
            for name in ("input_tokens", "max_tokens", "stream", "tools", "images", "hour")
        },
    }
    return told


def _key(plan: Plan, name: str) -> VirtualKey:
    if not name:
        return VirtualKey(NOBODY, b"", Subject("", "", "", NOBODY), direct=True, rank=NORMAL)
    found = next((key for key in plan.keys.values() if key.id == name), None)
    if found is None:
        known = ", ".join(sorted({key.id for key in plan.keys.values()})[:8]) or "none"
        raise Refusal("invalid_key", f"no key is called {name!r}; keys: {known}")
    return found


def _read(body: bytes, question: Question) -> OpenAIRequest:
    path = question.path or path_of(body, question.route)
    found = find(path)
    if found is None:
        raise Refusal("unknown_path", f"nothing is served at {path}; name the path of the request's endpoint")
    if found.endpoint.dialect == "openai":
        return decode(found.endpoint, _with_model(body, question.route), b"")
    if not found.model:
        return decode_native(found, _with_model(body, question.route))
    return decode_native(Found(found.endpoint, question.route or found.model, found.stream), body)


def _with_model(body: bytes, route: str) -> bytes:
    """The body with the route as its model, where one is asked about."""
    if not route:
        return body
    try:
        members = _members(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body  # the reader says what is wrong
    members["model"] = msgspec.Raw(msgspec.json.encode(route))
    return msgspec.json.encode(members)


def path_of(body: bytes, route: str) -> str:
    """The path to which a body of this shape is posted."""
    try:
        names = set(_members(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "/v1/chat/completions"
    model = route or "model"
    if "contents" in names:
        return f"/v1beta/models/{model}:generateContent"
    if names & {"inferenceConfig", "toolConfig"}:
        return f"/model/{model}/converse"
    if "messages" in names:
        return "/v1/messages" if names & {"system", "anthropic_version"} else "/v1/chat/completions"
    if "prompt" in names:
        return "/v1/completions"
    if "documents" in names:
        return "/v1/rerank"
    return "/v1/embeddings" if names <= {"model", "input", "dimensions", "encoding_format"} else "/v1/responses"


def _view(
    request: OpenAIRequest,
    route: Route,
    key: VirtualKey,
    subject: Subject,
    tags: dict[str, str],
    plan: Plan,
    live: Live,
) -> RequestView:
    facts = RequestFacts(
        "req_explained",
        live.now_ms,
        request.endpoint.dialect,
        request.endpoint.name,
        route.name,
        request.model,
        request.stream,
        tags.get("session", ""),
        tags.get("task", ""),
        tags.get("prompt_version", ""),
        tags.get("feature", ""),
        tags,
    )
    return RequestView(request, facts, subject, key, live.learnt, route.policy, plan.region, live.floors)


def answer(plan: Plan, resolver: Resolver, body: bytes, live: Live) -> dict[str, Any]:
    """The explanation for a question as JSON. Raises Refusal."""
    try:
        question = msgspec.json.decode(body, type=Question)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal("invalid_json", f"the question cannot be read: {error}") from None
    return explained(plan, resolver, question, live)
