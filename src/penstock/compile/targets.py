"""Providers and deployments as Targets: addresses, credentials, prices, parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec

from penstock.config.document import Deployment, Price, Provider, Secret, SecretError
from penstock.core.origin import Origin
from penstock.core.plan import Provider as PlannedProvider
from penstock.core.plan import Target
from penstock.core.price import Ceiling, rate_card
from penstock.core.price_book import PriceBook
from penstock.core.rates import TOKEN_UNITS, UNITS, RateCard
from penstock.routing.resolve import target_of
from penstock.wire.http1 import header_safe, is_token

SIMULATOR_CARD = rate_card("simulator-1", {"input": 1, "output": 2, "cache_read": 0.1})
OPENAI_HOST = "api.openai.com"
Reveal = Callable[[Secret], str]
Proxy = Callable[[str, str], str]


def no_proxy(scheme: str, host: str) -> str:
    """Every origin is reached directly."""
    del scheme, host
    return ""


class CompileError(ValueError):
    """The document is valid, but cannot be put to work here (a secret that does not resolve, …)."""


def provider_from(
    name: str,
    config: Provider,
    *,
    reveal: Reveal,
    prices: PriceBook,
    urls: Mapping[str, str],
    ca_file: str,
    proxy: Proxy,
) -> PlannedProvider:
    """One provider with the template of its targets. Raises CompileError."""
    url = config.url or urls.get(config.kind)
    if url is None:
        raise CompileError(f"providers.{name}: no address is known for kind {config.kind}")
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    origin = Origin(parts.scheme, host, port, ca_file=ca_file, proxy=proxy(parts.scheme, host))
    auth, secrets = _auth(name, config, reveal)
    template = Target(
        id=name,
        provider=name,
        kind=config.kind,
        model="",
        model_json=b'""',
        origin=origin,
        base_path=parts.path.rstrip("/").encode(),
        auth=auth,
        secrets=secrets,
        card=SIMULATOR_CARD if config.kind == "simulator" else None,
        cap_field="max_completion_tokens" if host == OPENAI_HOST else "max_tokens",
    )
    price_id = prices.provider_for_url(url) if config.kind == "openai" else None
    return PlannedProvider(name, config.kind, template, price_id)


def _auth(name: str, config: Provider, reveal: Reveal) -> tuple[bytes, tuple[str, ...]]:
    lines: list[bytes] = []
    secrets: list[str] = []
    if config.api_key is not None:
        value = _reveal(f"providers.{name}.api_key", config.api_key, reveal)
        secrets.append(value)
        lines.append(b"authorization: Bearer %b\r\n" % _line_safe(f"providers.{name}.api_key", value))
    for header, secret in config.headers.items():
        path = f"providers.{name}.headers.{header}"
        if not is_token(header.lower().encode("latin-1", "replace")):
            raise CompileError(f"{path}: not a header name")
        value = _reveal(path, secret, reveal)
        secrets.append(value)
        lines.append(b"%b: %b\r\n" % (header.lower().encode(), _line_safe(path, value)))
    return b"".join(lines), tuple(secrets)


def _reveal(path: str, secret: Secret, reveal: Reveal) -> str:
    try:
        return reveal(secret)
    except SecretError as error:
        raise CompileError(f"{path}: {error}") from None


def _line_safe(path: str, value: str) -> bytes:
    line = header_safe(value)
    if line != value.encode("utf-8", "replace"):
        raise CompileError(f"{path}: the value has characters that a header cannot carry")
    return line


def deployment_from(
    name: str, config: Deployment, provider: PlannedProvider, prices: PriceBook, now_ms: int
) -> Target:
    """A deployment as a Target. Raises CompileError."""
    target = target_of(provider, config.model, prices, now_ms)
    card = target.card
    if config.price is not None:
        card = card_from(name, config.price)
    fields = {key: msgspec.json.encode(value) for key, value in config.set.items()}
    return replace(
        target,
        id=name,
        card=card,
        ceiling=Ceiling(card) if card is not None else None,
        set_fields=fields,
        service_tier=(config.set["service_tier"] or "") if "service_tier" in config.set else None,
    )


def card_from(name: str, price: Price) -> RateCard:
    """A configured price as a card; its version names the deployment and the content."""
    rates = {unit: value for unit in UNITS if (value := getattr(price, unit)) is not None}
    tiers = [
        (tier.above_input, {unit: value for unit in TOKEN_UNITS if (value := getattr(tier, unit)) is not None})
        for tier in price.tiers
    ]
    digest = hashlib.sha256(msgspec.json.encode(price)).hexdigest()[:8]
    try:
        return rate_card(
            f"config:{name}:{digest}",
            rates,
            tiers=tiers,
            batch=price.batch if price.batch is not None else 1,
            region_factor=price.region_factor if price.region_factor is not None else 1,
            service_tiers=price.service_tier,
        )
    except ValueError as error:
        raise CompileError(f"deployments.{name}.price.{error}") from None
