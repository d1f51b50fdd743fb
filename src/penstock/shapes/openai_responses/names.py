"""Names of the shape, and what its extras are marked with."""

from __future__ import annotations

from typing import Any

from penstock.core.parts import Extras
from penstock.core.turns import made_id
from penstock.shapes.taker import extras_of

SHAPE = "openai.responses"
# What a request includes to get log probabilities, and seals of thinking.
LOGPROBS = "message.output_text.logprobs"
ENCRYPTED_REASONING = "reasoning.encrypted_content"
_MADE = "penstock"


def item_id(prefix: str, *seed: object) -> str:
    """The id of an item whose vendor has none of this shape, such as `msg_…`."""
    return made_id(f"{prefix}_{_MADE}", *seed)


def is_made(value: Any) -> bool:
    """Whether an id is one of ours, which no vendor knows."""
    return isinstance(value, str) and value.partition("_")[2].startswith(_MADE)


def is_own(extras: Extras | None) -> bool:
    """Whether it was written in this shape."""
    return extras is not None and extras.shape == SHAPE


def wire_fields(extras: Extras | None) -> dict[str, Any]:
    """The fields of this shape that go on the wire, fresh; ours are left out."""
    fields = extras_of(extras, SHAPE)
    return {name: value for name, value in fields.items() if not name.startswith("~")}


def mark(extras: Extras | None, name: str) -> Any:
    """One of our own keys, None where it is not there."""
    return extras.fields.get(name) if extras is not None and extras.shape == SHAPE else None
