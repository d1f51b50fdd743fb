"""`POST /v1/feedback`: what applications and their users say of answers, put on record for the worker.

Whether the request is the caller's is found out by the worker (ADR 42): any gateway takes feedback on what any
other one answered, with the ledger down, too. A request of somebody else's is answered like one's own, and
counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from penstock.admission.scopes import key_for
from penstock.core.errors import Refusal
from penstock.core.exchange import Judged
from penstock.core.plan import VirtualKey
from penstock.core.requirements import Need
from penstock.ledger.journal.settings import JournalFull
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.refusing import JSON, id_lines, send_refusal
from penstock.ports.http_server import HttpRequest, Reply
from penstock.shapes.feedback import MAX_SCORES, FeedbackBody, decode_feedback

PATH = "/v1/feedback"
SOURCE = "feedback"
MAX_BYTES = 65_536
# What one key may say in a minute, in one gateway; keys that are remembered for that.
MOST_A_MINUTE = 600
MAX_KEYS = 10_000
_MINUTE_S = 60.0
RESOLVED = "resolved"
_GOOD = frozenset({"resolved", "completed"})
_encode = msgspec.json.Encoder().encode


class FeedbackDesk:
    """Takes feedback; remembers how much each key has said of late."""

    __slots__ = ("_counts", "_ctx", "_since")

    def __init__(self, ctx: GatewayContext) -> None:
        self._ctx = ctx
        self._since = ctx.clock.monotonic()
        self._counts: dict[str, int] = {}

    def handle(self, http: HttpRequest, reply: Reply, request_id: str) -> None:
        """Answer one call."""
        try:
            if http.method != b"POST":
                raise Refusal("method_not_allowed", f"send POST to {PATH}")  # noqa: TRY301
            key = key_for(self._ctx.plan, http, self._ctx.clock.now_ms())
            self._count(key)
            found, kept = self._read(http, key)
        except Refusal as refusal:
            send_refusal(reply, refusal, request_id)
            return
        body = {"object": "feedback", "ids": [each.id for each in found], "texts_kept": kept}
        self._keep(
            found, lambda: reply.send(202, JSON + id_lines(request_id), _encode(body)), reply, request_id
        )

    def _keep(self, found: list[Judged], then: Callable[[], None], reply: Reply, request_id: str) -> None:
        """Put all on record; the answer follows the last of them."""

        def failed(error: Exception) -> None:
            send_refusal(reply, Refusal("journal_full", str(error), retry_after_s=1.0), request_id)

        try:
            for each in found[:-1]:
                self._ctx.journal.append(each)
            self._ctx.journal.append(found[-1], then, failed)
        except JournalFull as error:
            failed(error)

    def _count(self, key: VirtualKey) -> None:
        now = self._ctx.clock.monotonic()
        if now - self._since >= _MINUTE_S or len(self._counts) >= MAX_KEYS:
            self._since = now
            self._counts.clear()
        count = self._counts[key.id] = self._counts.get(key.id, 0) + 1
        if count > MOST_A_MINUTE:
            wait_s = max(1.0, self._since + _MINUTE_S - now)
            told = f"a key may send {MOST_A_MINUTE} pieces of feedback in a minute; send several scores in one"
            raise Refusal("rate_limited", told, retry_after_s=wait_s)

    def _read(self, http: HttpRequest, key: VirtualKey) -> tuple[list[Judged], bool]:
        """What is said, one piece for each score, and whether its texts are kept. Raises Refusal."""
        if len(http.body) > MAX_BYTES:
            raise Refusal("body_too_large", f"feedback has at most {MAX_BYTES} bytes")
        try:
            body = decode_feedback(http.body)
        except msgspec.ValidationError as error:
            raise Refusal("invalid_type", f"the feedback cannot be read: {error}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refusal("invalid_json", f"the body is not valid JSON: {error}") from None
        values = _values(body)
        kept = may_keep_texts(key) or not (body.comment or body.correction)
        subject = key.subject
        at_ms = self._ctx.clock.now_ms()
        found = [
            Judged(
                f"fb_{at_ms:011x}{self._ctx.bits(64):016x}",
                at_ms,
                subject,
                SOURCE,
                name,
                value,
                body.request_id or "",
                body.session or "",
                body.task or "",
                label,
                body.comment if kept and not index else "",
                body.correction if kept and not index else "",
            )
            for index, (name, value, label) in enumerate(values)
        ]
        return found, kept


def may_keep_texts(key: VirtualKey) -> bool:
    """Whether what the caller writes may be kept: not where it must not be kept by anybody."""
    needs: tuple[Need, ...] = key.scope.needs if key.scope is not None else ()
    days = [need.requirement.retention_days for need in needs]
    return not any(each is not None and each <= 0 for each in days)


def _values(body: FeedbackBody) -> list[tuple[str, float | None, str]]:
    """Name, value and label of everything that is said. Raises Refusal."""
    about = [each for each in (body.request_id, body.session, body.task) if each is not None]
    if len(about) != 1:
        raise Refusal("invalid_type", "say what it is about: exactly one of request_id, session and task")
    if body.score is not None and body.thumbs is not None:
        raise Refusal("invalid_type", "send score or thumbs, not both; other scores go into scores")
    found: list[tuple[str, float | None, str]] = []
    name = body.name or SOURCE
    if body.score is not None:
        found.append((name, body.score, body.label))
    if body.thumbs is not None:
        found.append((name, 1.0 if body.thumbs == "up" else 0.0, body.label))
    found += [(each, value, body.label) for each, value in body.scores.items() if each != name or not found]
    if body.outcome is not None:
        found.append((RESOLVED, 1.0 if body.outcome in _GOOD else 0.0, body.outcome))
    if len(found) > MAX_SCORES:
        raise Refusal("invalid_type", f"send at most {MAX_SCORES} scores at once")
    if not found:
        if not (body.label or body.comment or body.correction):
            told = "say something: thumbs, score, scores, outcome, label, comment or correction"
            raise Refusal("invalid_type", told)
        found.append((name, None, body.label))
    return found
