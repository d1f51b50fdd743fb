"""Servers that people run themselves."""

from __future__ import annotations

from penstock.providers.vendors.row import EVERYTHING, LEGACY, Vendor

LOCAL = (
    Vendor(
        kind="vllm",
        title="vLLM",
        base_url="http://127.0.0.1:8000/v1",
        speaks=EVERYTHING,
        rerank_api="rerank",
        source="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    ),
    Vendor(
        kind="llamacpp",
        title="llama.cpp server",
        base_url="http://127.0.0.1:8080/v1",
        speaks=LEGACY | {"openai.responses", "anthropic", "anthropic.count", "rerank"},
        rerank_api="rerank",
        evidence="run",
        source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
    ),
)
