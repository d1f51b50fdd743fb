"""Who answers: providers with their credentials and facts, and deployments of single models."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

from penstock.config.document.fields import CountOrNone, Name, Text, Url
from penstock.config.document.limits import Limits
from penstock.config.document.prices import Price
from penstock.config.document.secret import Secret

ProviderKind = Literal["openai", "anthropic", "google", "vertex", "azure", "bedrock", "cohere", "simulator"]

OPENAI_BASE_URL = "https://api.openai.com/v1"


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known about how a provider treats data; routes and organisations can require it.

    Attributes:
        residency: Where data stays, such as `[eu]`.
        region: The vendor's region.
        retention_days: Days for which the provider keeps prompts and answers; 0 means not at all.
        trains_on_data: Whether the provider trains models on them.
        certified: Certificates, such as `[soc2]`.
        source: Where this is known from, such as `contract`.
        verified: The day on which somebody last checked, such as `2026-05-01`.
    """

    residency: tuple[Text, ...] = ()
    region: Text | None = None
    retention_days: CountOrNone | None = None
    trains_on_data: bool | None = None
    certified: tuple[Text, ...] = ()
    source: Text | None = None
    verified: date | None = None


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vendor or a server of your own, with the credential that opens it.

    Attributes:
        kind: The API that it speaks; `openai` is any OpenAI-compatible server.
        base_url: Where it is, the version included, such as `http://127.0.0.1:8000/v1`; kind `openai`
            defaults to OpenAI's own.
        api_key: The credential, best as `${VARIABLE}` or `${file:/path}`.
        headers: Further headers for every request; the values are secrets.
        facts: What is known about how it treats data.
    """

    kind: ProviderKind
    base_url: Url | None = None
    api_key: Secret | None = None
    headers: dict[str, Secret] = {}
    facts: Facts | None = None

    @property
    def url(self) -> str | None:
        """`base_url`, or the kind's own default; None where the kind has no fixed address."""
        return self.base_url or (OPENAI_BASE_URL if self.kind == "openai" else None)


class Deployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model at one provider, with its own price, limits and parameters.

    `provider/model` works everywhere without one.

    Attributes:
        provider: The name of a provider.
        model: The model's name at that provider.
        price: A price that wins over the catalogue.
        limits: How much this deployment takes.
        set: Parameters of the request body that are set, or replaced, for this target.
    """

    provider: Name
    model: Text
    price: Price | None = None
    limits: Limits = Limits()
    set: dict[str, Any] = {}
