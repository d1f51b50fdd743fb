"""Google's embeddings as the pipeline asks them."""

from __future__ import annotations

from typing import Any

from penstock.core.embedding import EmbedInput, EmbedReply, EmbedRequest, Vector
from penstock.core.errors import ShapeError
from penstock.core.losses import UnsupportedError
from penstock.core.parts import Extras
from penstock.ports.translation import Addressee
from penstock.shapes.gemini.embed import EMBED, WORDS, read_vector
from penstock.shapes.gemini.parts import write_part
from penstock.shapes.gemini.reader import Reader, closed, opened
from penstock.shapes.gemini.usage import read_usage
from penstock.shapes.taker import extras_of, put

Json = dict[str, Any]


class GeminiEmbed:
    """`:batchEmbedContents`, or `:embedContent` for a client's own single request: see `method_of`."""

    __slots__ = ()
    shape = EMBED

    def served_at(self, request: EmbedRequest, model: str) -> str:  # noqa: ARG002 - the port's
        """Google has one method for one input and another for several."""
        return "gemini.embed" if method_of(request) == "embedContent" else "gemini.embeds"

    def encode_request(self, request: EmbedRequest, to: Addressee) -> Json:
        """The request's body. Raises UnsupportedError."""
        if any(each.tokens is not None for each in request.inputs):
            raise UnsupportedError("input.tokens")
        if any(each.number != "float" for each in request.forms):
            to.losses.drop("forms")
        if request.truncate is not None:
            to.losses.drop("truncate")
        out, notes = opened(extras_of(request.extras, EMBED))
        if method_of(request) == "embedContent":
            out.update(_single(request, request.inputs[0], to, batch=False))
        elif request.inputs or "requests" not in out:
            out["requests"] = [_single(request, each, to, batch=True) for each in request.inputs]
        if "model" in out:
            out["model"] = _named(out["model"], to)
        return closed(out, notes)

    def decode_reply(self, body: Json, request: EmbedRequest) -> EmbedReply:  # noqa: ARG002
        """The whole answer. Raises ShapeError."""
        reader = Reader(body)
        usage = reader.value("usageMetadata")
        vectors: tuple[Vector, ...] = ()
        single = reader.object("embedding")
        if single is not None:
            reader.note("single", value=True)
            vector = read_vector(single, 0)
            if vector is None:
                raise ShapeError("embedding.values", "a list of numbers")
            vectors = (vector,)
        elif reader.rest.get("embeddings"):
            reader.note("single", value=False)
            found = [read_vector(each, at) for at, each in enumerate(reader.many("embeddings") or ())]
            vectors = tuple([each for each in found if each is not None])
            if len(vectors) != len(found):
                raise ShapeError("embeddings.values", "a list of numbers")
        return EmbedReply(
            vectors=vectors,
            usage=read_usage(usage) if usage is not None else None,
            extras=Extras(EMBED, reader.left()),
        )


def method_of(request: EmbedRequest) -> str:
    """The method in the path."""
    single = len(request.inputs) == 1 and "~single" in extras_of(request.extras, EMBED)
    return "embedContent" if single else "batchEmbedContents"


def _named(given: Any, to: Addressee) -> str:
    name = to.model.removeprefix("models/")
    return name if isinstance(given, str) and not given.startswith("models/") else f"models/{name}"


def _single(request: EmbedRequest, each: EmbedInput, to: Addressee, *, batch: bool) -> Json:
    out, notes = opened(extras_of(each.extras, EMBED))
    content, spelling = opened(notes.get("~content", {}))
    parts = [write_part(part, None) for part in each.parts]
    written = [part for part in parts if part is not None]
    if len(written) != len(parts):
        to.losses.drop("input")
    content["parts"] = written
    out["content"] = closed(content, spelling)
    task = each.task or request.task
    put(out, title=each.title or None, taskType=WORDS[task] if task is not None else None)
    put(out, outputDimensionality=request.dimensions)
    if batch and ("model" in out or each.extras is None or each.extras.shape != EMBED):
        out["model"] = _named(out.get("model"), to)
    return closed(out, notes)


GEMINI_EMBED = GeminiEmbed()
