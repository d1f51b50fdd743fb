"""Questions of kind `semantic`, as gateways ask them; see ports.meant."""

from __future__ import annotations

from penstock.cache.verifier import Strictness
from penstock.inference.semantic import SemanticService, Wish
from penstock.ports.meant import MeantTold, MeantWish, read_wish, write_told
from penstock.ports.oracle import Question

_HOW: dict[str, Strictness | None] = {"words": "normal", "strict": "strict", "off": None}


class SemanticAnswers:
    """Answers from a service. Called from one thread."""

    def __init__(self, service: SemanticService) -> None:
        self.service = service

    def answer(self, question: Question) -> tuple[tuple[float, ...], str]:
        """What is told, and the answer to a look as JSON. Raises ValueError for a wish that cannot be read."""
        wish = read_wish(question.about)
        space, context = bytes.fromhex(wish.space), bytes.fromhex(wish.context)
        if wish.op == "look":
            return (1.0,), self._look(space, context, question.prompt, wish)
        if wish.op == "keep":
            entry = bytes.fromhex(wish.entry)
            self.service.keep(space, context, question.prompt, entry, wish.ends_ms, question.answer)
        elif wish.entry:
            self.service.questions.forget(bytes.fromhex(wish.entry))
        else:
            self.service.questions.clear()
        return (1.0,), ""

    def close(self) -> None:
        """Write what is to be written."""
        self.service.questions.close()

    def _look(self, space: bytes, context: bytes, text: str, wish: MeantWish) -> str:
        how = Wish(wish.threshold, wish.bound, _HOW.get(wish.verify, "normal"), wish.shadow)
        found = self.service.look(space, context, text, how, wish.now_ms)
        return write_told(
            MeantTold(found.entry.hex(), round(found.similarity, 4), found.reason, found.compare)
        ).decode()
