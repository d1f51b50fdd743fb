"""The registry of vendors: rows of data by kind (docs/providers.md is generated from it)."""

from __future__ import annotations

from penstock.providers.vendors.anthropic_shaped import ANTHROPIC_SHAPED
from penstock.providers.vendors.apis import APIS
from penstock.providers.vendors.clouds import CLOUDS
from penstock.providers.vendors.compatible import COMPATIBLE
from penstock.providers.vendors.local import LOCAL
from penstock.providers.vendors.row import Vendor
from penstock.providers.vendors.vectors import VECTORS

_ROWS = (*APIS, *CLOUDS, *COMPATIBLE, *ANTHROPIC_SHAPED, *VECTORS, *LOCAL)
VENDORS: dict[str, Vendor] = {row.kind: row for row in _ROWS}

__all__ = ["VENDORS", "Vendor"]
