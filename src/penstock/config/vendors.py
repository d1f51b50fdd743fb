"""Vendors whose key variable and OpenAI-compatible address are conventional; usual ports of local servers."""

from __future__ import annotations

import msgspec


class Vendor(msgspec.Struct, frozen=True):
    """A provider name, the variable that conventionally holds its key, and its OpenAI-compatible base URL."""

    name: str
    variable: str
    base_url: str


class LocalServer(msgspec.Struct, frozen=True):
    """A provider name and the port on which that server usually listens."""

    name: str
    port: int

    @property
    def base_url(self) -> str:
        """Where its OpenAI-compatible API is."""
        return f"http://127.0.0.1:{self.port}/v1"


# In the order in which a bare model name is looked for. OpenAI is not here: it also has OPENAI_BASE_URL.
VENDORS = (
    Vendor("google", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta/openai"),
    Vendor("mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1"),
    Vendor("deepseek", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1"),
    Vendor("xai", "XAI_API_KEY", "https://api.x.ai/v1"),
    Vendor("groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1"),
    Vendor("cerebras", "CEREBRAS_API_KEY", "https://api.cerebras.ai/v1"),
    Vendor("sambanova", "SAMBANOVA_API_KEY", "https://api.sambanova.ai/v1"),
    Vendor("together", "TOGETHER_API_KEY", "https://api.together.xyz/v1"),
    Vendor("fireworks", "FIREWORKS_API_KEY", "https://api.fireworks.ai/inference/v1"),
    Vendor("deepinfra", "DEEPINFRA_API_KEY", "https://api.deepinfra.com/v1/openai"),
    Vendor("openrouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1"),
)

# Keys of vendors whose API has no translator yet: name and variable.
NOT_YET = (("anthropic", "ANTHROPIC_API_KEY"), ("cohere", "COHERE_API_KEY"))

LOCAL_SERVERS = (
    LocalServer("ollama", 11434),
    LocalServer("vllm", 8000),
    LocalServer("llamacpp", 8080),
    LocalServer("lmstudio", 1234),
    LocalServer("sglang", 30000),
)
