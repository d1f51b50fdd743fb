"""Who answers: providers with their credentials and facts, and deployments of single models."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

from penstock.config.document.access import AwsAccess, EntraAccess, GoogleAccess
from penstock.config.document.fields import CountOrNone, Name, Part, Text, Url
from penstock.config.document.health import Health
from penstock.config.document.limits import Budget, Limits, Queue
from penstock.config.document.prices import Price
from penstock.config.document.secret import Secret
from penstock.providers.vendors import VENDORS

# The kinds of providers/vendors, which a test holds equal: written out, so that the schema can list them.
ProviderKind = Literal[
    "openai", "anthropic", "google", "mistral", "cohere", "ollama", "simulator", "azure",
    "azure-deployments", "azure-government", "azure-foundry", "azure-foundry-models", "azure-anthropic",
    "bedrock", "bedrock-fips", "bedrock-anthropic", "bedrock-mantle", "vertex", "vertex-anthropic",
    "deepseek", "xai", "perplexity", "moonshot", "zai", "minimax", "alibaba", "groq", "cerebras",
    "sambanova", "together", "fireworks", "deepinfra", "baseten", "ollama-cloud", "modal", "anyscale",
    "hyperbolic", "nebius", "scaleway", "ovhcloud", "nvidia", "cloudflare", "databricks", "openrouter",
    "huggingface", "github", "vercel", "deepseek-anthropic", "moonshot-anthropic", "zai-anthropic",
    "minimax-anthropic", "alibaba-anthropic", "deepinfra-anthropic", "openrouter-anthropic",
    "vercel-anthropic", "voyage", "jina", "vllm", "sglang", "tgi", "llamacpp", "ollama-openai", "lmstudio",
    "bfl", "fal", "replicate", "elevenlabs", "cartesia", "resemble", "deepgram", "assemblyai", "runway",
    "luma", "pika",
]  # fmt: skip


class EndpointFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is different at one of a provider's endpoints; what is not said is as for the provider.

    Attributes:
        residency: Where data stays, such as `[eu]`.
        region: Where models run.
        retention_days: Days for which prompts and answers are kept; 0 means not at all.
        trains_on_data: Whether the provider trains models on them.
        certified: Certificates that hold here; `[]` for none.
        source: Where this is known from: a `contract`, or the vendor's `documentation`.
        url: The page that says so.
        verified: The day on which somebody last checked, such as `2026-05-01`.
    """

    residency: tuple[Text, ...] | None = None
    region: Text | None = None
    retention_days: CountOrNone | None = None
    trains_on_data: bool | None = None
    certified: tuple[Text, ...] | None = None
    source: Literal["contract", "documentation"] | None = None
    url: Text | None = None
    verified: date | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known about how a provider treats data; routes and organisations can require it.

    Attributes:
        residency: Every place where data may be kept, such as `[eu]` or `[de, fr]`.
        region: Where models run, such as `eu-west-1`; without it, the region in the provider's address.
        retention_days: Days for which the provider keeps prompts and answers; 0 means not at all. For files,
            batches and videos, which are kept by nature, it is said under `endpoints`.
        trains_on_data: Whether the provider trains models on them.
        certified: Certificates and agreements, such as `[soc2, baa]`.
        tier: What kind of account it is, such as `enterprise` or `paid`.
        source: Where this is known from: a `contract`, or the vendor's `documentation`.
        url: The page that says so; documentation has one.
        verified: The day on which somebody last checked, such as `2026-05-01`.
        endpoints: What is different at single endpoints: `chat`, `responses`, `embeddings`, `rerank`,
            `moderations`, `images`, `audio`, `videos`, `files`, `batches`.
    """

    residency: tuple[Text, ...] = ()
    region: Text | None = None
    retention_days: CountOrNone | None = None
    trains_on_data: bool | None = None
    certified: tuple[Text, ...] = ()
    tier: Text | None = None
    source: Literal["contract", "documentation"] | None = None
    url: Text | None = None
    verified: date | None = None
    endpoints: dict[Name, EndpointFacts] = {}


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vendor or a server of your own, with the credential that opens it.

    Attributes:
        kind: The vendor, of docs/providers.md; `openai` is any OpenAI-compatible server.
        base_url: Where it is, the version included, such as `http://127.0.0.1:8000/v1`; most kinds know
            their own.
        region: The vendor's region, such as `eu-west-1`, for kinds whose address or signature has one.
        account: The account, resource or workspace in the vendor's address, such as an Azure resource's name.
        project: The project in the vendor's address, such as Google's.
        api_key: The credential, best as `${VARIABLE}` or `${file:/path}`.
        aws: AWS credentials, for kinds whose requests are signed.
        google: Google credentials, for Vertex AI.
        entra: An application of Microsoft Entra ID, for Azure's kinds.
        headers: Further headers for every request; the values are secrets.
        facts: What is known about how it treats data.
    """

    kind: ProviderKind
    base_url: Url | None = None
    region: Part | None = None
    account: Part | None = None
    project: Part | None = None
    api_key: Secret | None = None
    aws: AwsAccess | None = None
    google: GoogleAccess | None = None
    entra: EntraAccess | None = None
    headers: dict[str, Secret] = {}
    facts: Facts | None = None

    @property
    def url(self) -> str | None:
        """`base_url`, or the kind's own address; None where the kind has none or a part of it is missing.

        A `{model}` in it is left, for each target to fill in.
        """
        if self.base_url:
            return self.base_url
        address = VENDORS[self.kind].address(self.region)
        for name in self.address_parts:
            value = getattr(self, name)
            if value is None:
                return None
            address = address.replace(f"{{{name}}}", value)
        return address or None

    @property
    def address_parts(self) -> tuple[str, ...]:
        """Which of region, account and project the kind's own address is made of."""
        address = "" if self.base_url else VENDORS[self.kind].base_url
        return tuple([name for name in ("region", "account", "project") if f"{{{name}}}" in address])


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a deployment is held to (docs/routing.md).

    Attributes:
        model: What answers must name as their model, such as `gpt-4o-2024-08-06`; `*` stands for anything.
        hosts: Which hosts may serve it, by the aggregator's names; for OpenRouter.
        quantizations: Which quantisations, such as `[bf16]`; for OpenRouter.
        on_change: What happens where an answer names another model: somebody is told (`alert`), or the policy
            goes on to its next target, too (`fallback`).
    """

    model: Text | None = None
    hosts: tuple[Text, ...] = ()
    quantizations: tuple[Text, ...] = ()
    on_change: Literal["alert", "fallback"] = "alert"


class Deployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model at one provider, with its own price, limits and parameters.

    `provider/model` works everywhere without one.

    Attributes:
        provider: The name of a provider.
        model: The model's name at that provider.
        price: A price that wins over the catalogue.
        limits: How much this deployment takes; what is beyond its concurrency and rates queues.
        budget: How much is spent on it.
        queue: Who waits when its concurrency or a rate is used up.
        health: When it is left alone; without it, `defaults.health` says.
        set: Parameters of the request body that are set, or replaced, for this target; `system_prefix`,
            `system_suffix`, `system_prompt` and `output_limit` in any API (routing.md).
        pin: The model, hosts and quantisations that it is held to.
        facts: What is known about this deployment and differs from its provider, such as an Azure
            deployment's geography.
    """

    provider: Name
    model: Text
    price: Price | None = None
    limits: Limits = Limits()
    budget: Budget | None = None
    queue: Queue = Queue()
    health: Health | None = None
    set: dict[str, Any] = {}
    pin: Pin | None = None
    facts: Facts | None = None
