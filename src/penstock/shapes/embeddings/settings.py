"""The settings of an embeddings request, in each spelling that vendors of OpenAI's shape have for them.

OpenAI has `dimensions` and `encoding_format`; Mistral, Voyage and Jina name the same things otherwise and add
the number type, the task and truncation; clients that are used to Vertex write its words. A client may use any
of them; who the words go to is not known yet.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from penstock.core.embedding import EmbedRequest, Number, Task, VectorForm
from penstock.shapes.taker import Taker

WRITTEN = "~written"
GROUPS: dict[str, tuple[str, ...]] = {
    "dimensions": ("dimensions", "output_dimension"),
    "forms": ("encoding_format", "embedding_type", "output_dtype"),
    "task": ("input_type", "task", "task_type"),
    "truncate": ("truncate", "truncation", "auto_truncate"),
}
_TASKS: dict[str, Task] = {
    "query": "query",
    "search_query": "query",
    "retrieval.query": "query",
    "document": "document",
    "passage": "document",
    "search_document": "document",
    "retrieval.passage": "document",
    "code.passage": "document",
    "code.query": "code_query",
    "classification": "classification",
    "clustering": "clustering",
    "separation": "clustering",
    "text-matching": "similarity",
    "similarity": "similarity",
    "retrieval_query": "query",
    "retrieval_document": "document",
    "semantic_similarity": "similarity",
    "question_answering": "question",
    "fact_verification": "fact_check",
    "code_retrieval_query": "code_query",
}
_NUMBERS: dict[str, Number] = {
    "float": "float",
    "int8": "int8",
    "uint8": "uint8",
    "binary": "binary",
    "ubinary": "ubinary",
    "base64_int8": "int8",
    "base64_binary": "binary",
}


class Settings(NamedTuple):
    """Pivot fields of an EmbedRequest."""

    dimensions: int | None = None
    forms: tuple[VectorForm, ...] = ()
    task: Task | None = None
    truncate: Any = None


def take_written(body: Taker) -> dict[str, Any]:
    """Take the settings out of a request, as they are written."""
    written: dict[str, Any] = {}
    for name in ("dimensions", "output_dimension"):
        written[name] = body.count(name)
    for name in ("encoding_format", "output_dtype", "input_type", "task", "task_type"):
        written[name] = body.text(name)
    kind = body.rest.get("embedding_type")
    written["embedding_type"] = (
        body.texts("embedding_type") if isinstance(kind, list) else body.text("embedding_type")
    )
    written["auto_truncate"] = body.flag("auto_truncate")
    written["truncation"] = body.flag("truncation") if isinstance(body.rest.get("truncation"), bool) else None
    cut = body.rest.get("truncate")
    written["truncate"] = body.text("truncate") if isinstance(cut, str) else body.flag("truncate")
    return {name: value for name, value in written.items() if value is not None}


def settings_of(written: dict[str, Any]) -> Settings:
    """What the settings mean."""
    dimensions = written.get("dimensions", written.get("output_dimension"))
    task = next((str(written[name]) for name in ("task", "input_type", "task_type") if name in written), "")
    return Settings(dimensions, _forms(written), _TASKS.get(task.lower()), _truncate(written))


def unchanged(request: EmbedRequest, written: dict[str, Any]) -> set[str]:
    """The groups of settings that still say what the client wrote."""
    meant = settings_of(written)
    return {group for group in GROUPS if getattr(meant, group) == getattr(request, group)}


def _forms(written: dict[str, Any]) -> tuple[VectorForm, ...]:
    kinds = written.get("embedding_type")
    if isinstance(kinds, tuple | list):
        return tuple([_form(str(kind), "") for kind in cast("list[Any]", kinds)])
    word = written.get("encoding_format") or kinds
    number = str(written.get("output_dtype", ""))
    return (_form(str(word or "float"), number),) if word or number else ()


def _form(word: str, number: str) -> VectorForm:
    return VectorForm(_NUMBERS.get(number or word, "float"), word.startswith("base64"))


def _truncate(written: dict[str, Any]) -> str | None:
    found = written.get("truncate", written.get("truncation", written.get("auto_truncate")))
    if isinstance(found, bool):
        return "end" if found else "none"
    word = str(found).lower()
    return word if word in ("none", "start", "end") and found is not None else None
