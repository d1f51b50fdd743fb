"""What a key is good for, compiled."""

from __future__ import annotations

import ipaddress

from penstock.config import document as doc
from penstock.core.plan import KeyBounds, SourceNetwork


def bounds_of(config: doc.VirtualKey, until_ms: int | None = None) -> KeyBounds | None:
    """The bounds of a key, of a secret that works until a moment; None where it has none.

    Then a request spends no time on them.
    """
    expires_ms = min((at for at in (config.expires_at, until_ms) if at is not None), default=None)
    bounds = (config.endpoints, config.dialects, config.networks, expires_ms, config.max_tokens)
    if all(bound is None for bound in bounds):
        return None
    return KeyBounds(
        endpoints=frozenset(config.endpoints) if config.endpoints is not None else None,
        dialects=frozenset(config.dialects) if config.dialects is not None else None,
        networks=tuple(network(text) for text in config.networks or ()),
        expires_ms=expires_ms,
        max_tokens=config.max_tokens,
    )


def network(text: str) -> SourceNetwork:
    """An address or network, as the document has it."""
    found = ipaddress.ip_network(text)
    return SourceNetwork(found.version, int(found.network_address), int(found.netmask))
