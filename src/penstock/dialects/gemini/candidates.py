"""A choice as a candidate, where another vendor's answer becomes Google's."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest
from penstock.core.parts import Audio, Part, Signature, Text, Thinking, ToolCall
from penstock.shapes.gemini.parts import write_part
from penstock.shapes.gemini.seals import FOREIGN_CALL, sealed_text

Json = dict[str, Any]


def shows_thoughts(request: ChatRequest) -> bool:
    """Whether the client asked for thoughts (`includeThoughts`); Google keeps them back otherwise."""
    reasoning = request.reasoning
    return reasoning is not None and reasoning.summary not in (None, "none")


class PartWriter:
    """Writes parts one after the other; seals ride on the part that follows the thinking.

    The first call without a seal is marked as another model's: Google's models of the third generation refuse a
    history in which it bears nothing.
    """

    __slots__ = ("_marked", "_thoughts", "waiting")

    def __init__(self, *, thoughts: bool) -> None:
        self._thoughts = thoughts
        self._marked = False
        self.waiting: list[Thinking] = []

    def write(self, part: Part) -> Json | None:
        """The part's JSON; None where Google has nothing like it, or must not show it."""
        if isinstance(part, Thinking):
            if part.signature is not None or part.sealed is not None:
                self.waiting.append(part)
            return write_part(bare(part), None) if self._thoughts and part.text else None
        if isinstance(part, Text) and not part.text and part.signature is None:
            return None
        if isinstance(part, Audio) and part.source is None:
            return {"text": part.transcript} if part.transcript else None
        signature = part.signature if isinstance(part, Text | ToolCall) else None
        seal = self.seal(signature)
        if isinstance(part, ToolCall) and not self._marked:
            self._marked = True
            seal = seal or FOREIGN_CALL
        return write_part(part, seal)

    def seal(self, signature: Signature | None) -> str | None:
        """The `thoughtSignature` of the next part, with what waits for it."""
        if not self.waiting and signature is None:
            return None
        text = sealed_text(tuple(self.waiting), signature)
        self.waiting.clear()
        return text

    def rest(self) -> Json | None:
        """A last part for seals that found none."""
        seal = self.seal(None)
        return {"text": "", "thoughtSignature": seal} if seal is not None else None


def bare(part: Thinking) -> Thinking:
    """The thought as it is shown: its seal travels elsewhere."""
    return Thinking(part.text, extras=part.extras)
