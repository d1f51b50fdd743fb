"""Providers and deployments as Targets: addresses, credentials, prices, parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from penstock.compile.access import signing_of
from penstock.compile.differences import target_with
from penstock.compile.handling import deployed, handling_of
from penstock.compile.scopes import OwnAccess
from penstock.config.document import Deployment, Price, Provider, Secret, SecretError
from penstock.core.credentials import Signing
from penstock.core.origin import Origin
from penstock.core.pins import Pin
from penstock.core.plan import Provider as PlannedProvider
from penstock.core.price import Ceiling, rate_card
from penstock.core.price_book import PriceBook
from penstock.core.rates import TOKEN_UNITS, TOOL_UNITS, UNITS, RateCard
from penstock.core.target import Target
from penstock.providers.profiles import profiles_of
from penstock.providers.vendors import VENDORS, Vendor
from penstock.providers.vendors.row import Auth
from penstock.routing.resolve import target_of
from penstock.wire.http1 import header_safe, is_token

SIMULATOR_CARD = rate_card(
    "simulator-1", {"input": 1, "output": 2, "cache_read": 0.1} | dict.fromkeys(TOOL_UNITS, 0)
)
# Kinds that choose a host themselves, and can be told which.
AGGREGATORS = frozenset({"openrouter"})
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
    own: OwnAccess | None = None,
) -> PlannedProvider:
    """One provider with the template of its targets; `own`: as a tenant's own credential opens it.

    Raises CompileError.
    """
    owner = own.name if own is not None else ""
    at = own.path if own is not None else f"providers.{name}"
    vendor = VENDORS[config.kind]
    url = config.url or urls.get(config.kind)
    if url is None:
        raise CompileError(f"providers.{name}: no address is known for kind {config.kind}")
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    origin = Origin(parts.scheme, host, port, ca_file=ca_file, proxy=proxy(parts.scheme, host), owner=owner)
    auth, secrets = _auth(at, config, vendor, reveal)
    signing = _signing(at, owner or name, config, reveal)
    if signing is not None and signing.fixed is not None:
        secrets = (*secrets, *signing.fixed.secrets)
    # Another server of kind openai serves what it likes, and knows the older API and its older names.
    known_host = host == urlsplit(vendor.base_url).hostname or config.kind != "openai"
    rows, default_profile = profiles_of(vendor, elsewhere=not known_host)
    template = Target(
        id=owner or name,
        provider=owner or name,
        kind=config.kind,
        model="",
        model_json=b'""',
        origin=origin,
        base_path=parts.path.rstrip("/").encode(),
        auth=auth,
        secrets=secrets,
        card=SIMULATOR_CARD if config.kind == "simulator" else None,
        cap_field=vendor.cap_field if known_host else "max_tokens",
        asks_stream_usage=vendor.stream_usage,
        speaks=_speaks(vendor),
        api=vendor.api,
        embed_api=vendor.embed_api,
        rerank_api=vendor.rerank_api,
        media_api=vendor.media_api,
        profile=default_profile,
        query=vendor.query.encode(),
        signing=signing,
        handling=handling_of(name, config),
    )
    return PlannedProvider(owner or name, config.kind, template, price_id_of(config, prices), rows)


def _signing(at: str, name: str, config: Provider, reveal: Reveal) -> Signing | None:
    try:
        signing = signing_of(name, config, reveal)
    except SecretError as error:
        raise CompileError(f"{at}.aws: {error}") from None
    fixed = signing.fixed if signing is not None else None
    if fixed is not None and not (fixed.access_key + fixed.session_token).isascii():
        raise CompileError(f"{at}.aws: a key has characters that a header cannot carry")
    return signing


def _speaks(vendor: Vendor) -> frozenset[str]:
    """The shapes that a vendor takes as they are; whoever speaks all of OpenAI's has its media, too."""
    if vendor.media_api:
        return vendor.speaks
    names = ("images", "audio") if "openai" in vendor.speaks else vendor.media
    return vendor.speaks | {f"openai.{name}" for name in names if name in ("images", "audio")}


def price_id_of(config: Provider, prices: PriceBook) -> str | None:
    """A provider's name in the price catalogue, None where its prices are not known."""
    if config.kind == "simulator":
        return None
    vendor = VENDORS[config.kind]
    if vendor.price_id in prices.providers:
        return vendor.price_id
    return prices.provider_for_url(config.url) if config.url is not None else None


def _auth(at: str, config: Provider, vendor: Vendor, reveal: Reveal) -> tuple[bytes, tuple[str, ...]]:
    lines: list[bytes] = []
    secrets: list[str] = []
    if config.api_key is not None:
        path = f"{at}.api_key"
        value = _reveal(path, config.api_key, reveal)
        secrets.append(value)
        lines.append(_credential(vendor.auth, _line_safe(path, value)))
    lines += [b"%b: %b\r\n" % (header.encode(), text.encode()) for header, text in vendor.headers]
    for header, secret in config.headers.items():
        path = f"{at}.headers.{header}"
        if not is_token(header.lower().encode("latin-1", "replace")):
            raise CompileError(f"{path}: not a header name")
        value = _reveal(path, secret, reveal)
        secrets.append(value)
        lines.append(b"%b: %b\r\n" % (header.lower().encode(), _line_safe(path, value)))
    return b"".join(lines), tuple(secrets)


def _credential(auth: Auth, value: bytes) -> bytes:
    """The header line that carries an API key; a key given to a kind that signs is a bearer token."""
    if auth in ("bearer", "aws", "google", "none"):
        return b"authorization: Bearer %b\r\n" % value
    if auth in ("token", "key"):
        return b"authorization: %b %b\r\n" % (auth.capitalize().encode(), value)
    return b"%b: %b\r\n" % (auth.encode(), value)


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
    made = replace(
        target,
        id=name,
        card=card,
        ceiling=Ceiling(card) if card is not None else None,
        handling=deployed(target.handling, config.facts) if target.handling is not None else None,
        overflows=config.queue.overflow,
        pin=_pin(config),
    )
    return target_with(made, {**config.set, **_hosts(name, config, provider.kind)})


def _pin(config: Deployment) -> Pin | None:
    """What answers must name."""
    pin = config.pin
    return Pin(pin.model, pin.on_change == "fallback") if pin is not None and pin.model is not None else None


def _hosts(name: str, config: Deployment, kind: str) -> dict[str, Any]:
    """What an aggregator is told about hosts. Raises CompileError where there is none to tell.

    OpenRouter: https://openrouter.ai/docs/features/provider-routing (read on 2026-11-21).
    """
    pin = config.pin
    if pin is None or not (pin.hosts or pin.quantizations):
        return {}
    if kind not in AGGREGATORS:
        told = f"{kind} has one host; pin.hosts and pin.quantizations are for {', '.join(sorted(AGGREGATORS))}"
        raise CompileError(f"deployments.{name}.pin: {told}")
    said: object = config.set.get("provider")
    wish: dict[str, Any] = dict(cast("dict[str, Any]", said)) if isinstance(said, dict) else {}
    if pin.hosts:
        wish |= {"only": list(pin.hosts), "allow_fallbacks": False}
    if pin.quantizations:
        wish["quantizations"] = list(pin.quantizations)
    return {"provider": wish}


def card_from(name: str, price: Price) -> RateCard:
    """A configured price as a card; its version names the deployment and the content."""
    rates = {unit: value for unit in UNITS if (value := getattr(price, unit)) is not None}
    tiers = [
        (tier.above_input, {unit: value for unit in TOKEN_UNITS if (value := getattr(tier, unit)) is not None})
        for tier in price.tiers
    ]
    inner = {
        model: {name: value for name in each.__struct_fields__ if (value := getattr(each, name)) is not None}
        for model, each in price.inner.items()
    }
    digest = hashlib.sha256(msgspec.json.encode(price)).hexdigest()[:8]
    try:
        return rate_card(
            f"config:{name}:{digest}",
            rates,
            tiers=tiers,
            batch=price.batch if price.batch is not None else 1,
            region_factor=price.region_factor if price.region_factor is not None else 1,
            service_tiers=price.service_tier,
            inner=inner,
        )
    except ValueError as error:
        raise CompileError(f"deployments.{name}.price.{error}") from None
