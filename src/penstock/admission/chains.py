"""How deep a request stands in a chain of calls within calls, by the `traceparent` headers seen here.

What a gateway sends upstream names a span of its own as the parent (W3C Trace Context, section 3.2). A request
that comes back with such a span as its parent was made on behalf of that one, and stands one deeper. What a
client claims of its own spans is not believed.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Final

MAX_SPANS: Final = 65_536
_TRACEPARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class Chains:
    """The depth of the spans that were sent upstream; the oldest are forgotten first.

    In an OrderedDict: the first entry of a plain dict is found only past all that were deleted before it.
    """

    __slots__ = ("_depths",)

    def __init__(self) -> None:
        self._depths: OrderedDict[bytes, int] = OrderedDict()

    def enter(self, traceparent: bytes | None, span: int, trace: int) -> tuple[int, bytes]:
        """The depth of a request, from 1, and the `traceparent` under which its attempts are sent.

        `span` (64 bits) is the request's own, `trace` (128 bits) is used where it belongs to no trace yet.
        """
        found = _TRACEPARENT.fullmatch(traceparent) if traceparent is not None else None
        own = b"%016x" % (span or 1)
        if found is None:
            depth, sent = 1, b"00-%032x-%b-01" % (trace or 1, own)
        else:
            depth = self._depths.get(found[3], 0) + 1
            sent = b"00-%b-%b-%b" % (found[2], own, found[4])
        if len(self._depths) >= MAX_SPANS:
            self._depths.popitem(last=False)
        self._depths[own] = depth
        return depth, sent
