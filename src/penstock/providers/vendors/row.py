"""One vendor as data: where it is, how it is authorised, which API it speaks, and how we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Auth = Literal[
    "bearer", "x-api-key", "x-goog-api-key", "api-key", "token", "xi-api-key", "key", "x-key", "authorization",
    "aws", "google", "none",
]  # fmt: skip
Evidence = Literal["recorded", "documented", "run", "secondary"]

# Everything that a server may serve in OpenAI's shapes; a row names its own share.
CHAT = frozenset({"openai.chat"})
CHAT_AND_EMBEDDINGS = frozenset({"openai.chat", "openai.embeddings"})
LEGACY = frozenset({"openai.chat", "openai.completions", "openai.embeddings"})
EVERYTHING = frozenset(
    {"openai", "openai.chat", "openai.completions", "openai.responses", "openai.embeddings", "rerank"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A row of the registry.

    Attributes:
        kind: Its name in the configuration.
        title: Its name for people.
        base_url: Where its API is, the version included; `{region}`, `{account}` and `{project}` are filled
            in from the configuration, `{model}` from the target. Empty where the operator must say it.
        elsewhere: The addresses of those regions that `base_url` does not hold for.
        api: The shape into which chats are translated for it; empty where it has no chat.
        speaks: The shapes that it takes as they are.
        auth: How its credential travels: a header's name, `bearer`, or a signature (`aws`, `google`).
        variable: The environment variable that conventionally holds its key; empty for none.
        detected: Whether that variable alone makes it a provider where there is no configuration; not where
            the variable is another row's, or where people set it for other things.
        headers: Fixed header lines.
        query: A fixed query, such as Azure's API version.
        cap_field: Name of its bound on output tokens in OpenAI's chat shape.
        stream_usage: Whether a stream may be asked for its usage by `stream_options`.
        embed_api, rerank_api: The shapes of these endpoints, empty where it has none.
        media: Further endpoints: `images` and `audio` that pass, and the ones that `media_api` serves.
        media_api: Its own API for images, speech, transcriptions or videos, by name; empty for none.
        price_id: Its name in the price catalogue, empty to look it up by address.
        evidence: How its translator was checked: `recorded`, `documented` or `run`; `secondary` where its
            address is known only from programs that use it.
        seen: Which features recordings or runs have shown; the others stand on the vendor's pages.
        source: The vendor's page.
        read: The day on which that page, or what stands for it, was last looked up.
        caveat: What of the row no page of the vendor says, or what its user must know first.
    """

    kind: str
    title: str
    base_url: str = ""
    elsewhere: tuple[tuple[str, str], ...] = ()
    api: str = "openai.chat"
    speaks: frozenset[str] = CHAT_AND_EMBEDDINGS
    auth: Auth = "bearer"
    variable: str = ""
    detected: bool = True
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    cap_field: str = "max_tokens"
    stream_usage: bool = True
    embed_api: str = "openai.embeddings"
    rerank_api: str = ""
    media: tuple[str, ...] = ()
    media_api: str = ""
    price_id: str = ""
    evidence: Evidence = "documented"
    seen: tuple[str, ...] = ()
    source: str = ""
    read: str = "2026-11-21"
    caveat: str = ""

    @property
    def found_by_key(self) -> bool:
        """Whether its key's variable is all that it takes to use it."""
        complete = self.base_url.startswith("https://") and "{" not in self.base_url
        return bool(self.variable) and self.detected and complete and self.kind != "openai"

    def address(self, region: str | None) -> str:
        """Its address in a region, of which the parts are still to be filled in."""
        return dict(self.elsewhere).get(region or "", self.base_url)
