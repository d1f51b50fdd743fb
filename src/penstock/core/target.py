"""One vendor model at one upstream with one credential: what a policy leads to."""

from __future__ import annotations

from dataclasses import dataclass, field

from penstock.core.credentials import Signing
from penstock.core.origin import Origin
from penstock.core.pins import Pin
from penstock.core.price import Ceiling
from penstock.core.price_book import VendorPrices
from penstock.core.profile import Profile
from penstock.core.prompt_cache import PromptCacheRule
from penstock.core.prompt_variant import PromptVariant
from penstock.core.rates import RateCard
from penstock.core.requirements import Handling

# What a server that calls itself OpenAI-compatible is taken to serve; `openai`: the endpoints that only pass.
OPENAI_SHAPES = frozenset(
    {
        "openai", "openai.images", "openai.audio", "openai.chat", "openai.completions", "openai.responses",
        "openai.embeddings", "rerank",
    }
)  # fmt: skip
DEFAULT_PROFILE = Profile()


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One vendor model at one upstream with one credential, ready to be sent to.

    `auth` holds whole header lines with the credential and never appears in a repr. `secrets` are the texts
    that are removed from whatever an upstream says before anybody sees it. `service_tier` is what `set_fields`
    puts in place of the request's, None where it leaves it alone. A client whose API shape it `speaks` gets
    through with its bytes; others are translated into `api` (chat), `embed_api`, `rerank_api` or `media_api`.
    `signing` is set where no fixed line authorises a request; `set_cap` is the output bound in `set_fields`;
    `handling` says how data is treated; `prompt` is what requests get as their system prompt here. `overflows`:
    what finds no free slot goes to the policy's next target, where there is one, instead of queueing. `variant`
    tells apart the places of a policy with parameters of their own. `prompt_cache`: its vendor is told what of
    a prompt to cache. `vendor_prices`: of other models there, which the vendor's own tools may call.
    `pin`: what its answers must name.
    """

    id: str
    provider: str
    kind: str
    model: str
    model_json: bytes
    origin: Origin
    base_path: bytes
    auth: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    card: RateCard | None = None
    ceiling: Ceiling | None = None
    set_fields: dict[str, bytes] = field(default_factory=dict[str, bytes])
    max_output_tokens: int | None = None
    asks_stream_usage: bool = True
    cap_field: str = "max_tokens"
    service_tier: str | None = None
    speaks: frozenset[str] = OPENAI_SHAPES
    api: str = "openai.chat"
    embed_api: str = "openai.embeddings"
    rerank_api: str = "rerank"
    media_api: str = ""
    profile: Profile = DEFAULT_PROFILE
    query: bytes = b""
    signing: Signing | None = None
    lists_models: bool = True
    set_cap: int | None = None
    handling: Handling | None = None
    prompt: PromptVariant | None = None
    variant: str = ""
    overflows: bool = True
    prompt_cache: PromptCacheRule | None = None
    vendor_prices: VendorPrices | None = None
    pin: Pin | None = None

    @property
    def place(self) -> str:
        """What is the same for two places in a policy where a request would be sent the same way."""
        return f"{self.id}#{self.variant}" if self.variant else self.id
