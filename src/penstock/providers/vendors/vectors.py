"""Vendors of embeddings and rerank alone."""

from __future__ import annotations

from penstock.providers.vendors.row import Vendor

VECTORS = (
    Vendor(
        kind="voyage",
        title="Voyage AI",
        base_url="https://api.voyageai.com/v1",
        api="",
        speaks=frozenset(),
        variable="VOYAGE_API_KEY",
        embed_api="voyage.embeddings",
        rerank_api="voyage.rerank",
        evidence="recorded",
        seen=("embeddings", "rerank"),
        source="https://docs.voyageai.com/reference/embeddings-api",
    ),
    Vendor(
        kind="jina",
        title="Jina AI",
        base_url="https://api.jina.ai/v1",
        api="",
        speaks=frozenset({"rerank"}),
        variable="JINA_API_KEY",
        embed_api="jina.embeddings",
        rerank_api="rerank",
        source="https://api.jina.ai/redoc",
    ),
)
