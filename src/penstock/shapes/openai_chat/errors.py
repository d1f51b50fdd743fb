"""Errors inside a stream, read and written."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.events import Broke
from penstock.shapes.taker import Taker, extras_of


def broke_object(broke: Broke, shape: str) -> Any:
    """The `error` of a chunk; what came in this shape is as it came, but for what the pivot says."""
    own = broke.extras is not None and broke.extras.shape == shape
    out = extras_of(broke.extras, shape)
    if "~text" in out:
        said: Any = out["~text"]
        return broke.message if isinstance(said, str) or str(said) != broke.message else said
    numeric = out.pop("~code", None)
    if broke.message or not own:
        out["message"] = broke.message
    if broke.type or not own:
        out["type"] = broke.type or "upstream_error"
    if broke.code:
        out["code"] = int(broke.code) if numeric and broke.code.lstrip("-").isdigit() else broke.code
    elif not own:
        out["code"] = None
    if not own:
        out["param"] = None
    return out


def read_broke(error: Any, shape: str) -> Broke:
    """An error inside a stream."""
    if not isinstance(error, dict):
        t = Taker({"~text": error})
        return Broke(error if isinstance(error, str) else str(error), extras=t.extras(shape))
    t = Taker(cast("dict[str, Any]", error))
    message = t.text("message") if t.rest.get("message") else None
    kind = t.text("type") if t.rest.get("type") else None
    code: Any = t.rest.get("code")
    status: Any = code if isinstance(code, int) and not isinstance(code, bool) else t.rest.get("status_code")
    if isinstance(code, int) and not isinstance(code, bool):
        t.rest["~code"] = True
    elif not isinstance(code, str) or not code:
        code = None
    if code is not None:
        del t.rest["code"]
    told: bool = isinstance(status, int) and not isinstance(status, bool) and 400 <= status < 600
    return Broke(
        message or "",
        kind or "",
        str(code) if code is not None else "",
        status if told else 0,
        t.extras(shape),
    )
