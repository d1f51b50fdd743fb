"""Cohere's embeddings dialect: requests in, replies out."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.embedding import EmbedInput, EmbedReply, EmbedRequest, VectorForm
from penstock.core.errors import ShapeError
from penstock.core.parts import Image, Text
from penstock.ports.vectors import EmbedAsked
from penstock.shapes.cohere import EMBED
from penstock.shapes.cohere.embed import FIELD, TASKS, TYPES, read_input, type_of
from penstock.shapes.cohere.units import write_usage
from penstock.shapes.embeddings.inputs import source_of
from penstock.shapes.embeddings.numbers import in_form
from penstock.shapes.taker import Taker, extras_of


class CohereEmbedDialect:
    """`POST /v2/embed`."""

    __slots__ = ()
    shape = EMBED

    def decode_request(self, body: dict[str, Any], model: str) -> EmbedRequest:
        """The request. Raises ShapeError."""
        taker = Taker(body, strict=True)
        taker.rest.pop("model", None)
        inputs, where = _inputs(taker)
        types = taker.texts("embedding_types") or ()
        for name in types:
            if name not in TYPES:
                raise ShapeError("embedding_types", "a list of " + ", ".join(TYPES))
        task = TASKS.get(str(taker.rest.get("input_type")))
        cut = taker.rest.get("truncate")
        word = cut.lower() if isinstance(cut, str) and cut in ("NONE", "START", "END") else None
        for name, known in (("input_type", task), ("truncate", word)):
            if known is not None:
                del taker.rest[name]
        taker.rest[FIELD] = where
        return EmbedRequest(
            model=model,
            inputs=inputs,
            dimensions=taker.count("output_dimension"),
            forms=tuple([TYPES[name] for name in types]),
            task=task,
            truncate=cast("Any", word),
            extras=taker.extras(EMBED),
        )

    def encode_reply(self, reply: EmbedReply, asked: EmbedAsked) -> dict[str, Any]:
        """The whole answer, its vectors by type."""
        own = reply.extras is not None and reply.extras.shape == EMBED
        out = extras_of(reply.extras, EMBED)
        flat = out.pop("~flat", False)
        if reply.id or not own:
            out["id"] = reply.id or f"embed-{asked.request_id}"
        if "embeddings" not in out:
            out["embeddings"] = _flat(reply) if flat else _by_type(reply, asked, own=own)
        if not own:
            out["response_type"] = "embeddings_by_type"
            out["texts"] = [_words(each) for each in asked.request.inputs]
        if reply.usage is not None:
            out["meta"] = write_usage(reply.usage, EMBED)
            if not own:
                out["meta"] = {"api_version": {"version": "2"}, **out["meta"]}
        return out


def _inputs(body: Taker) -> tuple[tuple[EmbedInput, ...], str]:
    texts = body.texts("texts")
    if texts is not None:
        return tuple([EmbedInput((Text(text),)) for text in texts]), "texts"
    images = body.texts("images")
    if images is not None:
        return tuple([EmbedInput((Image(source_of(image)),)) for image in images]), "images"
    inputs = body.objects("inputs")
    if inputs is None:
        raise ShapeError("texts", "a list of texts")
    return tuple([read_input(each) for each in inputs]), "inputs"


def _words(each: EmbedInput) -> str:
    return " ".join([part.text for part in each.parts if isinstance(part, Text)])


def _flat(reply: EmbedReply) -> list[Any]:
    return [list(each.values) if not isinstance(each.values, str) else each.values for each in reply.vectors]


def _by_type(reply: EmbedReply, asked: EmbedAsked, *, own: bool) -> dict[str, Any]:
    forms = asked.request.forms
    wanted = forms[0] if forms else VectorForm()
    found: dict[str, Any] = {}
    for each in reply.vectors:
        form = VectorForm(each.number, isinstance(each.values, str)) if own else wanted
        values = in_form(each.values, each.number, form)
        found.setdefault(type_of(each.number, packed=isinstance(values, str)), []).append(values)
    return found
