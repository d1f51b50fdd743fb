"""Vendors that are found by their conventional key variable; usual ports of local servers."""

from __future__ import annotations

import msgspec

from penstock.providers.vendors import VENDORS, Vendor


class LocalServer(msgspec.Struct, frozen=True):
    """A provider name and the port on which that server usually listens."""

    name: str
    port: int

    @property
    def base_url(self) -> str:
        """Where its OpenAI-compatible API is."""
        return f"http://127.0.0.1:{self.port}/v1"


# Vendors whose key is all that they need, in the order in which a bare model name is looked for. OpenAI is not
# here: it also has OPENAI_BASE_URL.
DETECTED: tuple[Vendor, ...] = tuple([row for row in VENDORS.values() if row.found_by_key])

LOCAL_SERVERS = (
    LocalServer("ollama", 11434),
    LocalServer("vllm", 8000),
    LocalServer("llamacpp", 8080),
    LocalServer("lmstudio", 1234),
    LocalServer("sglang", 30000),
)
