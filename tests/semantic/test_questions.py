"""Questions are kept on disk and in memory, place by place, within their bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.inference.questions import LARGE, Questions
from penstock.ports.secrets import UnsealError

DIMENSIONS = 16
PLACE, OTHER = b"p" * 64, b"q" * 64
LATER = 10_000


def vectors(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Random directions."""
    made = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def filled(folder: Path, count: int) -> tuple[Questions, NDArray[np.float32]]:
    """A store with so many questions in one place."""
    questions, made = Questions(folder, DIMENSIONS, "m"), vectors(count)
    questions.add_many(PLACE, [f"q{i}" for i in range(count)], made, 0, LATER)
    return questions, made


class XorBox:
    """Seals by turning bits, and opens nothing that another one sealed."""

    def __init__(self, mark: int) -> None:
        self._mark = mark

    def seal(self, plain: bytes) -> bytes:
        """See ports.secrets."""
        return bytes([self._mark]) + bytes(each ^ self._mark for each in plain)

    def unseal(self, sealed: bytes) -> bytes:
        """See ports.secrets."""
        if sealed[0] != self._mark:
            raise UnsealError("another key")
        return bytes(each ^ self._mark for each in sealed[1:])


def test_small_and_large_places_find_the_same(tmp_path: Path) -> None:
    """Where a place has grown a graph, the nearest question is still found."""
    for name, count in (("small", LARGE // 2), ("large", LARGE + 500)):
        questions, made = filled(tmp_path / name, count)
        found = [questions.nearest(PLACE, made[i], 3, 0)[0].question.text for i in range(0, count, 50)]
        right = sum(text == f"q{i}" for text, i in zip(found, range(0, count, 50), strict=True))
        assert right >= 0.98 * len(found)


def test_questions_are_there_again_after_a_restart(tmp_path: Path) -> None:
    """Rows and graph are read; what was added after the graph was written is there, too."""
    questions, made = filled(tmp_path, LARGE + 10)
    questions.close()
    again = Questions(tmp_path, DIMENSIONS, "m")
    assert len(again) == LARGE + 10
    assert again.nearest(PLACE, made[7], 1, 0)[0].question.text == "q7"
    late = vectors(1, 9)[0]
    again.add(PLACE, "late", late, b"late", LATER)
    third = Questions(tmp_path, DIMENSIONS, "m")
    assert third.nearest(PLACE, late, 1, 0)[0].question.text == "late"


def test_vectors_of_another_embedder_are_thrown_away(tmp_path: Path) -> None:
    """They could not be compared."""
    questions, _ = filled(tmp_path, 10)
    questions.close()
    assert len(Questions(tmp_path, DIMENSIONS, "another")) == 0


def test_nothing_readable_lies_on_the_disk(tmp_path: Path) -> None:
    """Texts are sealed, and with another key they are gone."""
    questions = Questions(tmp_path, DIMENSIONS, "m", box=XorBox(7))
    questions.add(PLACE, "a very private question", vectors(1)[0], b"e", LATER)
    questions.close()
    assert not any(b"private" in path.read_bytes() for path in tmp_path.iterdir())
    assert len(Questions(tmp_path, DIMENSIONS, "m", box=XorBox(7))) == 1
    assert len(Questions(tmp_path, DIMENSIONS, "m", box=XorBox(8))) == 0


def test_bytes_are_bounded(tmp_path: Path) -> None:
    """Who was not used for longest goes first."""
    questions = Questions(tmp_path, DIMENSIONS, "m", most_bytes=20_000)
    made = vectors(60)
    for number, vector in enumerate(made):
        questions.add(PLACE, f"q{number}", vector, b"e%d" % number, LATER)
        first = questions.nearest(PLACE, made[0], 1, 0)[0].question
        questions.used(first)
    assert questions.bytes <= 20_000
    texts = {questions.nearest(PLACE, vector, 1, 0)[0].question.text for vector in made}
    assert "q0" in texts
    assert "q1" not in texts


def test_entries_are_forgotten_with_their_questions(tmp_path: Path) -> None:
    """By the beginning of their key, in every place, in small ones and in graphs."""
    questions, made = filled(tmp_path, LARGE + 10)
    questions.add(OTHER, "other", made[3], (3).to_bytes(16), LATER)
    assert questions.forget((3).to_bytes(16)) == 2
    assert questions.nearest(OTHER, made[3], 1, 0) == []
    assert questions.nearest(PLACE, made[3], 1, 0)[0].question.text != "q3"
    questions.clear()
    assert len(questions) == questions.bytes == 0


def test_the_same_question_is_kept_once(tmp_path: Path) -> None:
    """The newer answer replaces the older one."""
    questions, vector = Questions(tmp_path, DIMENSIONS, "m"), vectors(1)[0]
    questions.add(PLACE, "q", vector, b"old", LATER)
    questions.add(PLACE, "q", vector, b"new", LATER)
    assert [each.question.entry for each in questions.nearest(PLACE, vector, 5, 0)] == [b"new"]
