"""The compiled catalogue on disk, so that a start does not pay for importing and compiling the package."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from penstock.adapters.prices.genai import compile_book, package_version
from penstock.core.price_book import PriceBook

# Raised when the compiled form changes, so that an upgrade does not read the old one.
_FORM = 3
# Provider kinds whose vendor has another id in the catalogue.
_KIND_TO_ID = {"gemini": "google", "vertex": "google", "bedrock": "aws", "xai": "x-ai"}
_DECODER = msgspec.msgpack.Decoder(PriceBook)


def load_book(cache_dir: Path) -> PriceBook:
    """The price book of the installed package, from `cache_dir` if it is there, else compiled and kept.

    A cache that cannot be read or written is done without.
    """
    path = cache_dir / f"prices-{package_version()}-{_FORM}.msgpack"
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return _DECODER.decode(path.read_bytes())
    book = compile_book()
    with contextlib.suppress(OSError):
        cache_dir.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(msgspec.msgpack.encode(book))
        temporary.replace(path)
    return book


def provider_for(book: PriceBook, kind: str, base_url: str | None) -> str | None:
    """The catalogue's id for a provider of the configuration, or None where its prices do not apply.

    A base URL decides alone: a local or unknown server that speaks a vendor's API has none of its prices.
    """
    if base_url:
        return book.provider_for_url(base_url)
    provider_id = _KIND_TO_ID.get(kind, kind)
    return provider_id if provider_id in book.providers else None
