"""What both sides of embedContent and batchEmbedContents need: https://ai.google.dev/api/embeddings."""

from __future__ import annotations

from typing import Any

from penstock.core.embedding import Task, Vector
from penstock.shapes.embeddings.numbers import values_of
from penstock.shapes.gemini.reader import Reader, closed, opened, own_fields

EMBED = "gemini.embed"

WORDS: dict[Task, str] = {
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "similarity": "SEMANTIC_SIMILARITY",
    "question": "QUESTION_ANSWERING",
    "fact_check": "FACT_VERIFICATION",
    "code_query": "CODE_RETRIEVAL_QUERY",
}
TASKS: dict[str, Task] = {word: task for task, word in WORDS.items()}


def read_vector(reader: Reader, index: int) -> Vector | None:
    """One vector; None where its numbers cannot be read."""
    values = values_of(reader.rest.get("values"))
    if values is None or isinstance(values, str):
        return None
    del reader.rest["values"]
    return Vector(index, values, extras=reader.extras())


def write_vector(vector: Vector, values: list[float]) -> dict[str, Any]:
    """One vector."""
    out, notes = opened(own_fields(vector.extras))
    return closed({**out, "values": values}, notes)
