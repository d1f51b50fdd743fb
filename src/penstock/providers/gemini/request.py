"""A ChatRequest as the body of generateContent and streamGenerateContent."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest
from penstock.core.plain_turns import drop_names
from penstock.ports.translation import Addressee
from penstock.providers.gemini.config import write_config
from penstock.providers.gemini.contents import write_contents
from penstock.providers.gemini.tools import write_choice, write_tools
from penstock.shapes.gemini.reader import closed, opened, own, own_fields
from penstock.shapes.taker import put

_TIERS = {"default": "standard", "flex": "flex", "priority": "priority"}
# What would change the answer, and has no place here.
_MISSING = ("logit_bias", "verbosity", "previous_response_id")


def encode_request(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The request's body; the model stands in the path. Raises UnsupportedError."""
    out, notes = opened(own_fields(request.extras))
    mine = own(request.extras)
    if not mine:
        drop_names(request.messages, to.losses)
    system, contents = write_contents(request.messages, to)
    if system is not None and "system" in to.profile.lacks and not mine:
        if to.losses.map("system"):
            contents.insert(0, {"role": "user", "parts": system["parts"]})
        system = None
    if system is not None:
        out["systemInstruction"] = system.get("~string", system)
    if contents or not mine:
        out["contents"] = contents
    put(
        out,
        tools=write_tools(request, to),
        toolConfig=write_choice(request, to),
        generationConfig=write_config(request, to),
        serviceTier=_tier(request, notes, to),
    )
    if mine:
        put(out, labels=request.metadata)
    if isinstance(out.get("model"), str):
        prefix = "models/" if out["model"].startswith("models/") else ""
        out["model"] = prefix + to.model.removeprefix("models/")
    for feature in _MISSING:
        if getattr(request, feature):
            to.losses.drop(feature)
    return closed(out, notes)


def _tier(request: ChatRequest, notes: dict[str, Any], to: Addressee) -> str | None:
    tier = request.service_tier
    if tier is None:
        return None
    came = notes.get("~tier")
    if came is not None and ("default" if came == "standard" else came) == tier:
        return came
    if tier in _TIERS:
        return _TIERS[tier]
    if tier != "auto":
        to.losses.drop("service_tier")
    return None
