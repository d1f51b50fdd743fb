"""One request in, the steps of its answer out: the whole simulator but for sockets and clocks."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import msgspec

from penstock.simulator.answer import api_of, prepare
from penstock.simulator.behaviour import ECHO, Behaviour, behaviour_of
from penstock.simulator.delivery import Step, deliver, failed
from penstock.simulator.inbox import KEPT, Inbox, Received
from penstock.simulator.kept import KeptResponses
from penstock.simulator.reply import Api, Prepared, Reply, error_reply, json_reply
from penstock.simulator.script import Rules, Script

READ_HEADERS = frozenset(
    {
        b"anthropic-beta",
        b"anthropic-version",
        b"authorization",
        b"content-type",
        b"expect",
        b"traceparent",
        b"x-api-key",
        b"x-goog-api-key",
        b"x-penstock-request-id",
        b"x-request-id",
        b"x-simulator-marker",
    }
)


class Incoming(msgspec.Struct):
    """A request as it was read; `headers` has only those of READ_HEADERS, by lower-case name."""

    method: str = ""
    target: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""
    keep_alive: bool = True


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a simulator behaves where a model's name does not say otherwise.

    `seed` decides every answer and every draw. `api_key`, if not empty, is demanded of every request but
    `/healthz`. `kept` is how many received requests are remembered one by one.
    """

    seed: int = 0
    defaults: Behaviour = ECHO
    api_key: str = ""
    kept: int = KEPT


class Desk:
    """Answers requests; holds the script, the record of what was received, and the draws."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.script = Script(settings.seed)
        self.inbox = Inbox(settings.kept)
        self.responses = KeptResponses(settings.seed)
        self.refuse_for: Callable[[float], None] | None = None
        self._draw = random.Random(settings.seed)

    def answer(self, incoming: Incoming) -> tuple[Received | None, Iterator[Step]]:
        """The record to close when the answer ends (None: not recorded), and the steps to perform."""
        path, _, query = incoming.target.partition("?")
        close = not incoming.keep_alive
        authorised = self._authorised(incoming, path, query)
        controlled = self._control(incoming, path, query) if authorised else None
        if controlled is not None:
            return None, deliver(controlled, ECHO, self._draw, close=close)
        received, reply, behaviour = self._model(incoming, path, query, authorised=authorised)
        if incoming.method == "HEAD":
            reply = Reply(status=204)
        if not reply.digest:
            reply.digest = received.body_sha256[:32]
        return received, deliver(reply, behaviour, self._draw, close=close)

    def _authorised(self, incoming: Incoming, path: str, query: str) -> bool:
        key = self.settings.api_key
        if not key or path == "/healthz":
            return True
        return any(hmac.compare_digest(given.encode(), key.encode()) for given in _keys(incoming, query))

    def _model(
        self, incoming: Incoming, path: str, query: str, *, authorised: bool
    ) -> tuple[Received, Reply, Behaviour]:
        headers = incoming.headers
        api = api_of(path, query, headers)
        digest = hashlib.sha256(incoming.body).hexdigest()
        if authorised and (visited := self.responses.visit(incoming.method, path, incoming.body)) is not None:
            prepared = visited
        elif authorised:
            prepared = prepare(incoming.method, path, query, headers, incoming.body)
        else:
            prepared = api.error(*api.wrong_key, digest[:32])
        received = Received(
            number=0,
            method=incoming.method,
            path=path,
            marker=headers.get("x-simulator-marker", ""),
            request_id=headers.get("x-penstock-request-id") or headers.get("x-request-id", ""),
            traceparent=headers.get("traceparent", ""),
            body_sha256=digest,
            body_bytes=len(incoming.body),
        )
        reply, behaviour = self._reply(prepared, received, api)
        received.status = reply.status
        self.inbox.add(received)
        if reply.status == 200:
            self.responses.add(path, incoming.body, behaviour)
        return received, reply, behaviour

    def _reply(self, prepared: Prepared | Reply, received: Received, api: Api) -> tuple[Reply, Behaviour]:
        if isinstance(prepared, Reply):
            return prepared, ECHO
        name = prepared.model
        received.model, received.stream = name, prepared.stream
        received.marker = received.marker or prepared.user
        scripted = self.script.next_for(name, received.path)
        received.behaviour = scripted
        behaviour = behaviour_of(f"{name}+{scripted}" if scripted else name, self.settings.defaults)
        if behaviour.flaky and self._draw.random() < behaviour.flaky:
            return api.error(500, "", received.body_sha256[:32]), behaviour
        if behaviour.status:
            return failed(behaviour, api, received.body_sha256[:32]), behaviour
        try:
            return prepared.answer(behaviour, self.settings.seed), behaviour
        except RecursionError:
            message = "The schema refers to itself without end."
            return api.error(400, message, received.body_sha256[:32]), behaviour

    def _control(self, incoming: Incoming, path: str, query: str) -> Reply | None:
        if path == "/healthz":
            return json_reply({"status": "ok"}, "")
        if path == "/script":
            return self._script(incoming)
        if path == "/requests":
            return self._requests(incoming, query)
        if path == "/refuse" and incoming.method == "POST":
            return self._refuse(incoming)
        return Reply(status=204) if incoming.method == "HEAD" and path == "/" else None

    def _script(self, incoming: Incoming) -> Reply:
        if incoming.method == "POST":
            try:
                self.script.add(msgspec.json.decode(incoming.body, type=Rules))
            except (msgspec.DecodeError, ValueError) as error:
                return error_reply(400, f"The script was not taken: {error}", "invalid_script")
        elif incoming.method == "DELETE":
            self.script.clear()
        elif incoming.method != "GET":
            return error_reply(405, f"Not allowed: {incoming.method} /script", "method_not_allowed")
        return json_reply({"rules": self.script.rules}, "")

    def _requests(self, incoming: Incoming, query: str) -> Reply:
        if incoming.method == "DELETE":
            self.inbox.clear()
        elif incoming.method != "GET":
            return error_reply(405, f"Not allowed: {incoming.method} /requests", "method_not_allowed")
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        try:
            limit, after = int(asked.get("limit", 100)), int(asked.get("after", 0))
        except ValueError:
            return error_reply(400, "limit and after are whole numbers.", "invalid_value")
        found = self.inbox.last(limit=limit, after=after, model=asked.get("model"), marker=asked.get("marker"))
        body: dict[str, Any] = {"counts": self.inbox.counts, "requests": found}
        return json_reply(body, "")

    def _refuse(self, incoming: Incoming) -> Reply:
        """Close the listening socket for a while: new connections are truly refused, open ones live on."""
        try:
            wish = msgspec.json.decode(incoming.body, type=dict[str, float])
            seconds = min(600.0, max(0.0, wish["seconds"]))
        except (msgspec.DecodeError, KeyError):
            return error_reply(400, 'Say {"seconds": 2.5}.', "invalid_value")
        if self.refuse_for is None:
            return error_reply(501, "This simulator has no listening socket of its own.", "not_listening")
        self.refuse_for(seconds)
        return json_reply({"refusing_s": seconds}, "")


def _keys(incoming: Incoming, query: str) -> Iterator[str]:
    """The keys that a request gives, wherever its API's clients put them.

    A request signed with AWS's SigV4 gives the id of its access key; the signature is not checked.
    """
    given = incoming.headers.get("authorization", "")
    if given.startswith("AWS4-HMAC-SHA256 "):
        yield given.partition("Credential=")[2].partition("/")[0]
    yield given.removeprefix("Bearer ")
    yield incoming.headers.get("x-api-key", "")
    yield incoming.headers.get("x-goog-api-key", "")
    yield from parse_qs(query).get("key", ())
