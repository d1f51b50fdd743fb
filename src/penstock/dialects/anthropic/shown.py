"""What a Messages client can be shown of an answer: each part as one that this API has, or nothing.

Another vendor's seals travel where the client sends them back: in a thinking block's signature, or, where a
call was sealed, in its id.
"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.core.parts import Audio, Opaque, Part, Refused, Signature, Text, Thinking, ToolCall
from penstock.core.seals import into_id
from penstock.shapes.anthropic import SHAPE, own
from penstock.shapes.anthropic.calls import vendor_id

_UNSEALED = Signature("", "")


def shown(part: Part) -> tuple[Part, ...]:
    """The part as the client sees it: none, one, or two (readable thinking, and sealed)."""
    if isinstance(part, Text):
        return (part,) if part.text or own(part.extras) else ()
    if isinstance(part, ToolCall):
        return (sealed_call(part),)
    if isinstance(part, Thinking):
        return _thinking(part)
    if isinstance(part, Refused):
        return (Text(part.text),) if part.text else ()
    if isinstance(part, Audio):
        return (Text(part.transcript),) if part.transcript else ()
    return (part,) if isinstance(part, Opaque) and part.shape == SHAPE else ()


def sealed_call(call: ToolCall) -> ToolCall:
    """The call with another vendor's signature in its id."""
    if call.signature is None or call.signature.signer == SHAPE:
        return call
    return replace(call, id=into_id(vendor_id(call.id), (), call.signature), signature=None)


def _thinking(part: Thinking) -> tuple[Part, ...]:
    if own(part.extras) or (part.sealed is not None and not part.text and part.signature is None):
        return (part,)
    out: list[Part] = []
    if part.text or part.signature is not None:
        out.append(replace(part, signature=part.signature or _UNSEALED, sealed=None))
    if part.sealed is not None:
        out.append(Thinking(sealed=part.sealed))
    return tuple(out)
