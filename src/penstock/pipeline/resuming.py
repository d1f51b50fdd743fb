"""A stream that breaks after its first content goes on at the next target, where the route wants that.

The client's stream is written by one encoder from beginning to end, whoever is heard; what the next target is
asked, and how its events join those before, is worked out in core.splice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from penstock.core.errors import Refusal
from penstock.core.exchange import AttemptFacts
from penstock.core.policy import FallbackNode, TargetNode
from penstock.pipeline.driving import Driving
from penstock.pipeline.translation import chat_of
from penstock.providers.openai.errors import Failure
from penstock.routing.trees import targets_of
from penstock.upstream.attempt import Attempt
from penstock.upstream.going_on import GoingOn
from penstock.upstream.translated_codec import TranslatingReader

MOST: Final = 2
# What no other target can help: the client's time is over, or somebody stopped the exchange.
_OVER: Final = frozenset({"total_timeout", "killed", "journal_full"})


class Resuming(Driving):
    """An exchange whose stream may go on elsewhere."""

    __slots__ = ()

    def _goes_on(self, attempt: Attempt, failure: Failure, facts: AttemptFacts) -> bool:
        """Go on after `attempt`, which has just broken; False where that cannot be."""
        reader, ctx = attempt.reader, self._ctx
        if self._resumed >= MOST or failure.cause in _OVER or not isinstance(reader, TranslatingReader):
            return False
        heard = reader.heard
        if heard is None:
            return False
        before = self._request.going_on
        try:
            hindrance = heard.hindrance(chat_of(self._request))
        except Refusal:
            return False
        if hindrance:
            failure.message += f" (not gone on with elsewhere: {hindrance})"
            return False
        now = ctx.clock.monotonic()
        if now >= self._walk.deadline and now >= self._deadline:
            return False
        self._resumed += 1
        text = heard.text()
        spent = ctx.learned_of(attempt.target.id).output_tokens(len(text))
        cap = self._request.cap
        if cap is not None and before is None:
            cap = max(1, cap - spent)
        self._request = replace(
            self._request,
            cap=cap,
            prompt_chars=self._request.prompt_chars + (len(text) if before is None else 0),
            going_on=GoingOn(reader.encoder, reader.framing, heard, spent),
        )
        self._write_down(facts)
        self._broken = attempt
        self._follow(replace(self._route, policy=self._others(attempt)))
        self._walk.notes["resumed"] = f"{self._resumed} after {attempt.target.id}"
        self._advance(None)
        return True

    def _others(self, broken: Attempt) -> FallbackNode | TargetNode:
        """The route's other targets in order; the same once more where there is no other."""
        found = {target.id: target for target in targets_of(self._route.policy)}
        found.pop(broken.target.id, None)
        if not found:
            return TargetNode(broken.target)
        return FallbackNode(tuple([TargetNode(target) for target in found.values()]))
