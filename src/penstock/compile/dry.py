"""A Plan without any secret: to see what a document leads to where nothing is to be sent."""

from __future__ import annotations

from itertools import count

from penstock.compile.plan import compile_plan
from penstock.config.document import Document, Secret
from penstock.core.plan import Plan
from penstock.core.price_book import PriceBook

_SIMULATOR = "http://127.0.0.1:9/v1"


def dry_plan(document: Document, now_ms: int, prices: PriceBook | None = None) -> Plan:
    """The Plan with a made-up text for every secret. Raises CompileError."""
    numbers = count()

    def made_up(secret: Secret) -> str:
        del secret
        return f"not-a-secret-{next(numbers)}"

    return compile_plan(
        document,
        revision="dry",
        prices=prices or PriceBook("none", {}),
        reveal=made_up,
        urls={"simulator": _SIMULATOR},
        now_ms=now_ms,
    )
