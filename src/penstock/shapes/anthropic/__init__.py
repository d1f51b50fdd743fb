"""Anthropic's Messages API, as requests, replies and streams share it: https://platform.claude.com/docs/en/api."""

from __future__ import annotations

from penstock.core.parts import Extras, Signature
from penstock.core.seals import wrap

SHAPE = "anthropic"

# Stands in a field that must have a vendor's seal where there is none to give (thinking of a vendor that does
# not sign, a citation without an index), so that it is known again, and left out, when the client sends it.
NO_SEAL = wrap(Signature("", ""), SHAPE)


def own(extras: Extras | None) -> bool:
    """Whether something was said in this shape."""
    return extras is not None and extras.shape == SHAPE
