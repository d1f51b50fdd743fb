"""Rerank APIs as the pipeline asks them."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.losses import Losses, UnsupportedError
from penstock.core.parts import Extras
from penstock.core.rerank import Ranked, RankResult, RerankReply, RerankRequest
from penstock.ports.translation import Addressee
from penstock.shapes.rerank import SHAPE, VOYAGE
from penstock.shapes.rerank.usage import take_usage
from penstock.shapes.taker import Taker, extras_of, put


class _RerankApi:
    """What the vendors' replies have in common; their extras carry the shape that they share."""

    __slots__ = ()
    shape = SHAPE

    def decode_reply(self, body: dict[str, Any], request: RerankRequest) -> RerankReply:  # noqa: ARG002
        """The whole answer. Raises ShapeError."""
        taker = Taker(body)
        return RerankReply(
            id=taker.text("id") or "",
            model=taker.text("model") or "",
            results=_results(taker),
            usage=take_usage(taker, SHAPE),
            extras=Extras(SHAPE, taker.rest),
        )


class SharedRerank(_RerankApi):
    """The shape of Jina, Cohere's version 1, OpenRouter, Together, vLLM: the dialect's own.

    https://api.jina.ai/openapi.json and https://docs.cohere.com/v1/reference/rerank
    """

    __slots__ = ()

    def encode_request(self, request: RerankRequest, to: Addressee) -> dict[str, Any]:
        """The request's body."""
        out = extras_of(request.extras, SHAPE)
        top = "top_k" if out.pop(VOYAGE, False) else "top_n"
        out |= {"model": to.model, "query": request.query, "documents": list(request.documents)}
        return put(
            out,
            **{top: request.top_n},
            return_documents=request.return_documents,
            max_tokens_per_doc=request.max_tokens_per_doc,
            rank_fields=list(request.fields) or None,
            truncation=request.truncate,
            user=request.user,
        )


class CohereRerank(_RerankApi):
    """Cohere's version 2, which takes texts alone.

    https://docs.cohere.com/v2/reference/rerank
    """

    __slots__ = ()
    shape = "cohere.rerank"

    def encode_request(self, request: RerankRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. The dialect gives the documents back itself where the client wants them."""
        out: dict[str, Any] = {
            "model": to.model,
            "query": _text(request.query, (), to.losses, "query"),
            "documents": [_text(each, request.fields, to.losses, "document") for each in request.documents],
        }
        if request.truncate is False:
            to.losses.drop("truncate")
        own = request.extras.fields if request.extras is not None and request.extras.shape == SHAPE else {}
        return put(
            out,
            top_n=request.top_n,
            max_tokens_per_doc=request.max_tokens_per_doc,
            priority=own.get("priority"),
        )


class VoyageRerank(_RerankApi):
    """Voyage's, with words of its own.

    https://docs.voyageai.com/reference/reranker-api
    """

    __slots__ = ()
    shape = "voyage.rerank"

    def encode_request(self, request: RerankRequest, to: Addressee) -> dict[str, Any]:
        """The request's body."""
        if request.max_tokens_per_doc is not None:
            to.losses.drop("max_tokens_per_doc")
        out: dict[str, Any] = {
            "model": to.model,
            "query": _text(request.query, (), to.losses, "query"),
            "documents": [_text(each, request.fields, to.losses, "document") for each in request.documents],
        }
        return put(
            out,
            top_k=request.top_n,
            return_documents=request.return_documents,
            truncation=request.truncate,
        )

    def decode_reply(self, body: dict[str, Any], request: RerankRequest) -> RerankReply:
        """The whole answer; its `data` are results, its `object` says nothing."""
        if isinstance(body.get("data"), list) and "results" not in body:
            rest = {name: value for name, value in body.items() if name not in ("data", "object")}
            body = {**rest, "results": body["data"]}
        return super().decode_reply(body, request)


def _results(body: Taker) -> tuple[RankResult, ...]:
    """The results; none, and the list left where it is, where one cannot be read."""
    whole = body.rest.get("results")
    results: list[RankResult] = []
    for item in body.objects("results") or ():
        index, score = item.count("index"), item.number("relevance_score")
        if index is None or score is None:
            body.rest["results"] = whole
            return ()
        results.append(RankResult(index, score, _document(item), item.extras(SHAPE)))
    return tuple(results)


def _document(item: Taker) -> Ranked | None:
    """The document that a result repeats; Cohere and Jina wrap a text in an object."""
    value = item.rest.get("document")
    if isinstance(value, str):
        del item.rest["document"]
        item.rest["~document"] = "text"
        return value
    found = item.value("document")
    if found is not None and found.keys() == {"text"} and isinstance(found["text"], str):
        return found["text"]
    return found


def _text(value: Ranked, fields: tuple[str, ...], losses: Losses, name: str) -> str:
    """A document as text: its text, or its fields as lines in YAML's manner, which Cohere's guide recommends.

    https://docs.cohere.com/docs/reranking-with-cohere (semi-structured data)
    """
    if isinstance(value, str):
        return value
    if value.keys() == {"text"} and isinstance(value["text"], str):
        return value["text"]
    names = [each for each in fields if each in value] or list(value)
    if "image" in names and len(names) == 1:
        raise UnsupportedError("image")
    if not losses.map(f"{name}.object"):
        return cast("str", value.get("text")) if isinstance(value.get("text"), str) else ""
    return "\n".join([f"{each}: {value[each]}" for each in names])


SHARED_RERANK = SharedRerank()
COHERE_RERANK = CohereRerank()
VOYAGE_RERANK = VoyageRerank()
