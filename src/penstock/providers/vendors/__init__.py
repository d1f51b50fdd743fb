"""The registry of vendors: rows of data by kind (docs/providers.md is generated from it)."""

from __future__ import annotations

from penstock.providers.vendors.apis import APIS
from penstock.providers.vendors.compatible import COMPATIBLE
from penstock.providers.vendors.local import LOCAL
from penstock.providers.vendors.media import MEDIA
from penstock.providers.vendors.row import Vendor

VENDORS: dict[str, Vendor] = {row.kind: row for row in (*APIS, *COMPATIBLE, *LOCAL, *MEDIA)}

__all__ = ["VENDORS", "Vendor"]
