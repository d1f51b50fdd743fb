"""The rerank dialect: requests in, replies out."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.errors import ShapeError
from penstock.core.rerank import Ranked, RankResult, RerankReply, RerankRequest
from penstock.ports.vectors import RerankAsked
from penstock.shapes.rerank import SHAPE, VOYAGE
from penstock.shapes.rerank.usage import put_usage
from penstock.shapes.taker import Taker, extras_of


class RerankDialect:
    """`POST /v1/rerank` and `/v2/rerank` as Cohere and Jina have them.

    A client that uses Voyage's words for the settings is answered in Voyage's words.
    """

    __slots__ = ()
    shape = SHAPE

    def decode_request(self, body: dict[str, Any], model: str) -> RerankRequest:
        """The request. Raises ShapeError."""
        taker = Taker(body, strict=True)
        taker.rest.pop("model", None)
        query = _ranked(taker.any("query"), "query")
        documents = taker.items("documents")
        if documents is None:
            raise ShapeError("documents", "a list of texts or objects")
        top_n, top_k = taker.count("top_n"), taker.count("top_k")
        # Voyage's is true or false; a word is some other vendor's, and goes on as it came.
        truncate = taker.flag("truncation") if isinstance(body.get("truncation"), bool) else None
        if top_k is not None or truncate is not None:
            taker.rest[VOYAGE] = True
        return RerankRequest(
            model=model,
            query=query,
            documents=tuple([_ranked(each, f"documents[{at}]") for at, each in enumerate(documents)]),
            top_n=top_k if top_n is None else top_n,
            return_documents=taker.flag("return_documents"),
            max_tokens_per_doc=taker.count("max_tokens_per_doc"),
            fields=taker.texts("rank_fields") or (),
            truncate=truncate,
            user=taker.text("user"),
            extras=taker.extras(SHAPE),
        )

    def encode_reply(self, reply: RerankReply, asked: RerankAsked) -> dict[str, Any]:
        """The whole answer. Documents are given back from the request where the vendor does not repeat them."""
        own = reply.extras is not None and reply.extras.shape == SHAPE
        voyage = bool(extras_of(asked.request.extras, SHAPE).get(VOYAGE))
        out = extras_of(reply.extras, SHAPE)
        if (reply.id or not own) and not voyage:
            out["id"] = reply.id or f"rerank-{asked.request_id}"
        if reply.model or not own:
            out["model"] = reply.model or asked.model
        if "results" not in out and (reply.results or not own or reply.usage is not None):
            results = [_result(each, asked.request, voyage=voyage) for each in reply.results]
            out |= {"object": "list", "data": results} if voyage else {"results": results}
        if reply.usage is not None:
            put_usage(out, reply.usage, SHAPE)
        return out


def _ranked(value: Any, where: str) -> Ranked:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise ShapeError(where, "a text or an object")


def _result(result: RankResult, request: RerankRequest, *, voyage: bool) -> dict[str, Any]:
    out = extras_of(result.extras, SHAPE)
    plain = out.pop("~document", "") == "text" or voyage
    out |= {"index": result.index, "relevance_score": result.score}
    document = result.document
    if document is None and request.return_documents and result.index < len(request.documents):
        document = request.documents[result.index]
    if document is not None:
        out["document"] = {"text": document} if isinstance(document, str) and not plain else document
    return out
