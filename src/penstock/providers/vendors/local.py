"""Servers that people run themselves."""

from __future__ import annotations

from penstock.providers.vendors.row import CHAT, EVERYTHING, LEGACY, Vendor

LOCAL = (
    Vendor(
        kind="vllm",
        title="vLLM",
        base_url="http://127.0.0.1:8000/v1",
        speaks=EVERYTHING,
        rerank_api="rerank",
        media=("audio",),
        source="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    ),
    Vendor(
        kind="sglang",
        title="SGLang",
        base_url="http://127.0.0.1:30000/v1",
        speaks=LEGACY | {"openai.responses", "rerank"},
        rerank_api="rerank",
        source="https://docs.sglang.ai/basic_usage/openai_api.html",
    ),
    # The port is that of its documented container; a bare launcher listens on 3000.
    Vendor(
        kind="tgi",
        title="Text Generation Inference",
        base_url="http://127.0.0.1:8080/v1",
        speaks=CHAT | {"openai.completions"},
        embed_api="",
        source="https://huggingface.co/docs/text-generation-inference/messages_api",
    ),
    Vendor(
        kind="llamacpp",
        title="llama.cpp server",
        base_url="http://127.0.0.1:8080/v1",
        speaks=LEGACY | {"openai.responses", "anthropic", "anthropic.count", "rerank"},
        rerank_api="rerank",
        evidence="run",
        seen=("chat", "stream", "tools", "errors", "responses", "embeddings"),
        source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
    ),
    Vendor(
        kind="ollama-openai",
        title="Ollama (OpenAI's API)",
        base_url="http://127.0.0.1:11434/v1",
        speaks=LEGACY,
        source="https://docs.ollama.com/api/openai-compatibility",
    ),
    Vendor(
        kind="lmstudio",
        title="LM Studio",
        base_url="http://127.0.0.1:1234/v1",
        speaks=LEGACY | {"openai.responses"},
        source="https://lmstudio.ai/docs/developer/openai-compat",
    ),
)
