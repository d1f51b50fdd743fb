"""Guards that are asked and answer later: a webhook, a judge, a provider's moderation, the inference process.

All are asked at once, each with its deadline; none holds up the others. What they say becomes a guard that
finds just that, so that it is acted on like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from penstock.core.screen_plan import Guard
from penstock.guardrails.bodies import Text
from penstock.guardrails.docket import Docket
from penstock.guardrails.said import (
    Read,
    UnreadableError,
    from_judge,
    from_moderation,
    from_webhook,
    judged,
    moderated,
    posted,
    told_guard,
)
from penstock.pipeline.hooking import PostCall
from penstock.pipeline.preparing import Preparing
from penstock.ports.inner_call import InnerAnswer

LATE = "late"
PURPOSE = "guard"
_CHAT, _MODERATIONS = "/v1/chat/completions", "/v1/moderations"


class _Call(Protocol):
    def cancel(self) -> None:
        """Nobody waits for it any more."""
        ...


class Consultation:
    """One round of questions about the texts of a request or an answer."""

    __slots__ = ("_calls", "_context", "_docket", "_done", "_exchange", "_found", "_left", "_side", "_texts")

    def __init__(
        self,
        exchange: Preparing,
        side: str,
        texts: Sequence[Text],
        docket: Docket,
        context: Sequence[Text] = (),
    ) -> None:
        """`context` is what a judge of an answer is shown besides: the texts of its request."""
        self._exchange = exchange
        self._side = side
        self._texts = texts
        self._docket = docket
        self._context = context
        self._calls: list[_Call] = []
        self._found: list[Guard] = []
        self._left = 0
        self._done: Callable[[list[Guard]], None] | None = None

    def ask(self, guards: Sequence[Guard], done: Callable[[list[Guard]], None]) -> None:
        """Ask all; `done` is called once, at once or later, with guards that find what they said."""
        self._done = done
        self._left = 1
        for guard in guards:
            self._docket.looked(guard)
            texts = [text for text in self._texts if guard.looks_at(text[0])]
            if texts:
                self._left += 1
                self._ask(guard, texts)
        self._one_less()

    def cancel(self) -> None:
        """The exchange has ended."""
        self._done = None
        calls, self._calls = self._calls, []
        for call in calls:
            call.cancel()

    def _ask(self, guard: Guard, texts: list[Text]) -> None:
        remote, exchange = guard.remote, self._exchange
        if remote is None:
            return
        if remote.asked == "webhook" and remote.hook is not None:
            call = PostCall(exchange.ctx, lambda body, why: self._heard(guard, texts, body, why, from_webhook))
            self._calls.append(call)
            facts, subject = exchange.facts, exchange.subject
            body = posted(guard, self._side, texts, facts, subject)
            call.ask(remote.hook, body, f"{facts.request_id}.{guard.name}", guard.deadline_s)
        elif remote.asked == "judge":
            self._inner(guard, texts, _CHAT, judged(remote, texts, self._context), from_judge)
        elif remote.asked == "moderation":
            self._inner(guard, texts, _MODERATIONS, moderated(remote, texts), from_moderation)
        else:
            self._inference(guard, texts)

    def _inner(self, guard: Guard, texts: list[Text], path: str, body: bytes, read: Read) -> None:
        exchange = self._exchange
        asker = exchange.inner_calls()
        if asker is None:
            self._heard(guard, texts, None, "no inner calls can be made", read)
            return

        def answered(answer: InnerAnswer) -> None:
            if answer.status == 200:
                self._heard(guard, texts, answer.body, "", read)
            else:
                self._heard(guard, texts, None, f"status {answer.status}" if answer.status else LATE, read)

        self._calls.append(asker.ask(path, body, PURPOSE, guard.deadline_s, answered))

    def _inference(self, guard: Guard, texts: list[Text]) -> None:
        del texts
        self._docket.failed(guard, "unavailable")
        self._one_less()

    def _heard(self, guard: Guard, texts: list[Text], body: bytes | None, why: str, read: Read) -> None:
        """One of them has answered, or will not."""
        if self._done is None:
            return
        if body is None:
            self._docket.failed(guard, why or LATE)
        else:
            try:
                self._found.append(told_guard(guard, read(guard, texts, body)))
            except UnreadableError:
                self._docket.failed(guard, "unreadable")
        self._one_less()

    def _one_less(self) -> None:
        self._left -= 1
        if self._left == 0:
            done, self._done = self._done, None
            self._calls.clear()
            if done is not None:
                done(self._found)
