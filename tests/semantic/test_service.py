"""The look-up by meaning, from question to entry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penstock.inference.questions import Questions
from penstock.inference.semantic import SemanticService, Wish
from tests.semantic.fakes import WordsEmbedder

SPACE, CONTEXT = b"s" * 32, b"c" * 32
LATER = 10_000


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> SemanticService:
    embedder = WordsEmbedder()
    questions = Questions(tmp_path, embedder.dimensions, embedder.name)
    return SemanticService(embedder, questions, np.random.default_rng(0))


def test_a_question_that_says_the_same_is_found(service: SemanticService) -> None:
    """The entry of the kept question comes back with its similarity."""
    service.keep(SPACE, CONTEXT, "How do I renew my passport?", b"entry", LATER)
    found = service.look(SPACE, CONTEXT, "How can I renew my passport?", Wish(), 0)
    assert found.entry == b"entry"
    assert 0.7 < found.similarity < 1.0
    assert found.reason == "same"


def test_what_differs_is_named_and_not_served(service: SemanticService) -> None:
    """A near question with another number is a miss that says why."""
    service.keep(SPACE, CONTEXT, "What did order 17 cost me in May?", b"entry", LATER)
    found = service.look(SPACE, CONTEXT, "What did order 71 cost me in May?", Wish(), 0)
    assert (found.entry, found.reason, found.near) == (b"", "numbers", b"entry")


def test_similarity_alone_decides_where_that_is_wished(service: SemanticService) -> None:
    """`verify: off` serves whatever is at or above the threshold, and nothing below."""
    service.keep(SPACE, CONTEXT, "What did order 17 cost me in May?", b"entry", LATER)
    asked = "What did order 71 cost me in May?"
    assert service.look(SPACE, CONTEXT, asked, Wish(0.5, verify=None), 0).entry == b"entry"
    assert service.look(SPACE, CONTEXT, asked, Wish(0.999, verify=None), 0).entry == b""


def test_another_space_or_context_is_never_answered(service: SemanticService) -> None:
    """Among a hundred organisations and many contexts no look-up leads to somebody else's entry."""
    rng = np.random.default_rng(1)
    asked = [f"How do I renew my {word}?" for word in ("passport", "visa", "ticket", "lease")]
    for number in range(400):
        place = number % 100, number % 3
        service.keep(b"org%029d" % place[0], b"ctx%029d" % place[1], asked[number % 4], b"%d/%d" % place, LATER)
    hits = 0
    for _ in range(4_000):
        org, context = int(rng.integers(0, 100)), int(rng.integers(0, 4))
        found = service.look(
            b"org%029d" % org, b"ctx%029d" % context, asked[int(rng.integers(0, 4))], Wish(), 0
        )
        assert found.entry in (b"", b"%d/%d" % (org, context))
        hits += bool(found.entry)
    assert hits > 100


def test_what_has_ended_is_not_found(service: SemanticService) -> None:
    """Beyond its time a question leads nowhere, and leaves the index."""
    service.keep(SPACE, CONTEXT, "How do I renew my passport?", b"entry", LATER)
    assert service.look(SPACE, CONTEXT, "How do I renew my passport?", Wish(), LATER).entry == b""
    assert len(service.questions) == 0


def test_in_the_shadow_nothing_is_served(service: SemanticService) -> None:
    """What would have been served is told, and the route answers."""
    service.keep(SPACE, CONTEXT, "How do I renew my passport?", b"entry", LATER)
    found = service.look(SPACE, CONTEXT, "How can I renew my passport?", Wish(shadow=True), 0)
    assert (found.entry, found.reason, found.would) == (b"", "shadow", True)


def test_a_learnt_threshold_serves_after_comparisons(service: SemanticService) -> None:
    """Misses whose answers turn out the same teach the gate to serve; a few hits are answered anew."""
    wish = Wish(bound=0.05, verify=None)
    kinds = ["passport", "visa", "ticket", "lease", "permit", "card", "contract", "licence"]
    served = compared = 0
    for number in range(900):
        kind = kinds[number % 8]
        # Every fifth question is a strange one, of which the nearest kept one says another thing.
        text = f"renew {kind} desk{number % 40}" if number % 5 else f"lost {kind} item{number}"
        answer = (
            f"Go to the {kind} office, room {kinds.index(kind)}."
            if number % 5
            else f"Sorry about item{number}."
        )
        found = service.look(SPACE, CONTEXT, text, wish, 0)
        served += bool(found.entry)
        compared += found.compare
        if not found.entry:
            service.keep(SPACE, CONTEXT, text, b"e%d" % number, LATER, answer)
    assert compared > 100
    assert served > 100
    assert service.gate(SPACE, 0.05).open
