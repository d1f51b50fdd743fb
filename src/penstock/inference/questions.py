"""The questions whose answers are kept: their vectors, and where each answer lies. On disk and in memory.

A question belongs to a *place*: the digest of everything that must be equal. Only questions of one place are
ever compared, so that each place has an index of its own: a plain matrix while it is small, a graph (HNSW, by
usearch) once it is large. The bytes of all together are bounded; who was not used for longest goes first.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from penstock.ports.secrets import SecretBox, UnsealError

Floats32 = NDArray[np.float32]
MOST_BYTES = 512 * 1024 * 1024
# From so many questions on a place gets a graph; comparing with all of them takes as long as walking it.
LARGE = 3_000
CONNECTIVITY, BUILDING, SEARCHING = 16, 96, 96
# What a question takes besides its texts and its vectors: keys, rows and links.
OVERHEAD = 700
MOST_TEXT = 4_000
_told = msgspec.msgpack.Decoder(tuple[str, bytes, bytes]).decode
_SCHEMA = """
create table if not exists questions (
  id integer primary key, place blob not null, entry blob not null, told blob not null, ends_ms integer not
  null);
create index if not exists by_entry on questions (entry);
create table if not exists made_by (name text not null);
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A kept question. `answer` is a vector of length 1 of its answer, or nothing."""

    id: int
    place: bytes
    entry: bytes
    text: str
    ends_ms: int
    answer: Floats32 | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return OVERHEAD + len(self.text) + (0 if self.answer is None else self.answer.nbytes)


class Found(NamedTuple):
    """A question and how similar it is, from -1 to 1."""

    question: Question
    similarity: float


class _Place:
    """The vectors of one place."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._ids: list[int] = []
        self._rows: dict[int, int] = {}
        self._matrix = np.zeros((0, dimensions), np.float32)
        self._graph: Any = None

    def __len__(self) -> int:
        return len(self._rows) if self._graph is None else len(self._graph)

    def add(self, ids: Sequence[int], vectors: Floats32) -> None:
        if self._graph is None and len(self._ids) + len(ids) >= LARGE:
            self._grow()
        if self._graph is not None:
            self._graph.add(np.array(ids, np.uint64), vectors, threads=1)
            return
        for number, vector in zip(ids, vectors, strict=True):
            if len(self._ids) == len(self._matrix):
                room = np.zeros((max(8, len(self._matrix)), self._dimensions), np.float32)
                self._matrix = np.concatenate([self._matrix, room])
            self._rows[number] = len(self._ids)
            self._matrix[len(self._ids)] = vector
            self._ids.append(number)

    def _grow(self) -> None:
        from usearch.index import Index  # noqa: PLC0415 - small caches need none

        self._graph = Index(
            ndim=self._dimensions, metric="ip", dtype="f16",
            connectivity=CONNECTIVITY, expansion_add=BUILDING, expansion_search=SEARCHING,
        )  # fmt: skip
        if self._ids:
            self._graph.add(np.array(self._ids, np.uint64), self._matrix[: len(self._ids)], threads=1)
        self._ids, self._rows, self._matrix = [], {}, self._matrix[:0]

    def remove(self, number: int) -> None:
        if self._graph is not None:
            self._graph.remove(number)
            return
        row = self._rows.pop(number)
        last = self._ids.pop()
        if last != number:
            self._ids[row], self._rows[last] = last, row
            self._matrix[row] = self._matrix[len(self._ids)]

    def nearest(self, vector: Floats32, count: int) -> list[tuple[int, float]]:
        if self._graph is not None:
            found = self._graph.search(vector, count, threads=1)
            return [(int(k), 1.0 - float(d)) for k, d in zip(found.keys, found.distances, strict=True)]
        similar = self._matrix[: len(self._ids)] @ vector
        few = len(similar) <= count
        best = np.arange(len(similar)) if few else np.argpartition(-similar, count)[:count]
        return [(self._ids[i], float(similar[i])) for i in best[np.argsort(-similar[best])]]

    def save(self, path: Path, box: SecretBox) -> None:
        if self._graph is not None:
            path.write_bytes(box.seal(bytes(self._graph.save())))

    def load(self, path: Path, ids: set[int], box: SecretBox) -> set[int]:
        """Take a saved graph, if there is one; what it holds of `ids`."""
        if not path.exists():
            return set()
        self._grow()
        try:
            self._graph.load(box.unseal(path.read_bytes()))
        except (UnsealError, RuntimeError, ValueError, OSError):
            self._graph = None
            return set()
        known = {int(key) for key in self._graph.keys}
        for strange in known - ids:
            self._graph.remove(strange)
        return known & ids


class Questions:
    """All places. Not for several threads at once."""

    def __init__(
        self,
        folder: Path,
        dimensions: int,
        name: str,
        most_bytes: int = MOST_BYTES,
        box: SecretBox | None = None,
    ) -> None:
        """Open or make the store.

        It lies in `folder`; `name` is the embedder's: another one's vectors are thrown away.
        `box` seals what is written: texts are what users asked.

        Raises OSError, sqlite3.Error.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._box = box or _Open()
        self._dimensions = dimensions
        self._most = most_bytes
        self._places: dict[bytes, _Place] = {}
        self._kept: OrderedDict[int, Question] = OrderedDict()
        self._by_entry: dict[bytes, set[int]] = {}
        self.bytes = 0
        self._db = sqlite3.connect(folder / "questions.db", isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=off")
        self._db.executescript(_SCHEMA)
        made_by = self._db.execute("select name from made_by").fetchone()
        if made_by != (name,):
            self._db.execute("delete from questions")
            self._db.execute("delete from made_by")
            self._db.execute("insert into made_by values (?)", (name,))
            for graph in folder.glob("*.graph"):
                graph.unlink()
        self._next = 1
        self._load()

    def __len__(self) -> int:
        return len(self._kept)

    def add(
        self,
        place: bytes,
        text: str,
        vector: Floats32,
        entry: bytes,
        ends_ms: int,
        answer: Floats32 | None = None,
    ) -> None:
        """Keep a question; one of the same text and place is replaced."""
        text = text[:MOST_TEXT]
        for found in self.nearest(place, vector, 2, 0):
            if found.question.text == text:
                self._drop(found.question.id)
        made = Question(self._next, place, entry, text, ends_ms, answer)
        self._next += 1
        self._db.execute("insert into questions values (?,?,?,?,?)", _row(made, vector, self._box))
        self._place(place).add([made.id], vector[np.newaxis])
        self._remember(made)
        while self.bytes > self._most and self._kept:
            self._drop(next(iter(self._kept)))

    def add_many(self, place: bytes, texts: Sequence[str], vectors: Floats32, first: int, ends_ms: int) -> None:
        """Keep many that are new; entries are numbered from `first`."""
        made = [
            Question(self._next + i, place, (first + i).to_bytes(16), text[:MOST_TEXT], ends_ms)
            for i, text in enumerate(texts)
        ]
        self._next += len(made)
        self._db.execute("begin")
        self._db.executemany(
            "insert into questions values (?,?,?,?,?)",
            [_row(question, vector, self._box) for question, vector in zip(made, vectors, strict=True)],
        )
        self._db.execute("commit")
        self._place(place).add([question.id for question in made], vectors)
        for question in made:
            self._remember(question)

    def nearest(self, place: bytes, vector: Floats32, count: int, now_ms: int) -> list[Found]:
        """The questions of a place, nearest first, that have not ended."""
        here = self._places.get(place)
        if here is None or not len(here):
            return []
        found: list[Found] = []
        for number, similarity in here.nearest(vector, count):
            question = self._kept.get(number)
            if question is None:
                continue
            if question.ends_ms <= now_ms:
                self._drop(number)
            else:
                found.append(Found(question, similarity))
        return found

    def used(self, question: Question) -> None:
        """It was served: it stays longer than others."""
        if question.id in self._kept:
            self._kept.move_to_end(question.id)

    def forget(self, entry: bytes) -> int:
        """Whatever leads to entries whose key begins like this; how many those were."""
        found = [key for key in self._by_entry if key.startswith(entry)]
        gone = [number for key in found for number in self._by_entry.get(key, ())]
        for number in gone:
            self._drop(number)
        return len(gone)

    def clear(self) -> None:
        """Forget all."""
        for number in list(self._kept):
            self._drop(number)

    def close(self) -> None:
        """Write the graphs, so that the next start need not build them."""
        for place, here in self._places.items():
            here.save(self._graph(place), self._box)
        self._db.close()

    def _place(self, place: bytes) -> _Place:
        return self._places.setdefault(place, _Place(self._dimensions))

    def _remember(self, question: Question) -> None:
        self._kept[question.id] = question
        self._by_entry.setdefault(question.entry, set()).add(question.id)
        self.bytes += question.size + self._dimensions * 4

    def _drop(self, number: int) -> None:
        question = self._kept.pop(number)
        self.bytes -= question.size + self._dimensions * 4
        ids = self._by_entry[question.entry]
        ids.discard(number)
        if not ids:
            del self._by_entry[question.entry]
        here = self._places[question.place]
        here.remove(number)
        if not len(here):
            del self._places[question.place]
        self._db.execute("delete from questions where id = ?", (number,))

    def _load(self) -> None:
        vectors: dict[bytes, list[tuple[int, bytes]]] = {}
        lost: list[int] = []
        for number, place, entry, sealed, ends_ms in self._db.execute(
            "select id, place, entry, told, ends_ms from questions order by id"
        ):
            self._next = number + 1
            try:
                text, vector, answer = _told(self._box.unseal(sealed))
            except (UnsealError, ValueError):
                lost.append(number)  # sealed with a key that is gone
                continue
            known = np.frombuffer(answer, np.float16).astype(np.float32) if answer else None
            self._remember(Question(number, place, entry, text, ends_ms, known))
            vectors.setdefault(place, []).append((number, vector))
        for number in lost:
            self._db.execute("delete from questions where id = ?", (number,))
        for place, rows in vectors.items():
            here = self._place(place)
            have = here.load(self._graph(place), {number for number, _ in rows}, self._box)
            rest = [(number, data) for number, data in rows if number not in have]
            if rest:
                made = np.stack([np.frombuffer(data, np.float16) for _, data in rest]).astype(np.float32)
                here.add([number for number, _ in rest], made)

    def _graph(self, place: bytes) -> Path:
        return self._folder / f"{blake2b(place, digest_size=16).hexdigest()}.graph"


class _Open:
    """Seals nothing: for what leaves no trace on a disk that others see."""

    def seal(self, plain: bytes) -> bytes:
        return plain

    def unseal(self, sealed: bytes) -> bytes:
        return sealed


def _row(question: Question, vector: Floats32, box: SecretBox) -> tuple[int, bytes, bytes, bytes, int]:
    answer = question.answer.astype(np.float16).tobytes() if question.answer is not None else b""
    told = msgspec.msgpack.encode((question.text, vector.astype(np.float16).tobytes(), answer))
    return question.id, question.place, question.entry, box.seal(told), question.ends_ms
