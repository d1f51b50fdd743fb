"""The OpenAPI document: what Litestar knows of the handlers, with the bodies in the shape of the file."""

from __future__ import annotations

import json
from typing import Any

from litestar import Litestar

from penstock.config.schema import schema
from penstock.control.kinds import KINDS, RoleBinding, ServiceAccount
from penstock.config.merge import CONTROL_FIELDS

_OWN = {"service_account": "ServiceAccount", "role_binding": "RoleBinding"}


def document(app: Litestar) -> bytes:
    """The document as JSON."""
    told: dict[str, Any] = app.openapi_schema.to_schema()
    return json.dumps(told).encode()
