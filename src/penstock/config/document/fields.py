"""The kinds of value that fields hold. `reads` names the function in `config.values` that reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

# Names travel in headers, metrics and "provider/model", so they have no spaces, slashes or control
# characters.
Name = Annotated[str, Meta(extra={"reads": "name"})]
LONGEST_TARGET = 256
# A target: the name of a deployment, or "provider/model".
Target = Annotated[str, Meta(min_length=1, max_length=LONGEST_TARGET)]
# One label of a host name or one segment of a path.
Part = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
Text = Annotated[str, Meta(min_length=1)]

# "127.0.0.1:4000", "[::1]:4000" or "localhost:4000".
Address = Annotated[str, Meta(extra={"reads": "address"})]
# "http://…" or "https://…", without query, fragment, user name or trailing slash.
Url = Annotated[str, Meta(extra={"reads": "url"})]
# An address or network such as "10.0.0.0/8".
Network = Annotated[str, Meta(extra={"reads": "network"})]

# A moment such as "2026-12-01T12:00:00Z"; milliseconds since the Unix epoch.
Moment = Annotated[int, Meta(ge=0, extra={"reads": "moment"})]

# Bytes: an integer, or text such as "32MB" (powers of ten) or "32MiB" (powers of two).
Size = Annotated[int, Meta(ge=1, extra={"reads": "size"})]
# Seconds: an integer, or text such as "30d", "12h", "15m", "30s".
Duration = Annotated[int, Meta(ge=1, extra={"reads": "duration"})]

# A condition over a request, as under `if` in a policy: names with values or operators (config.conditions).
Condition = Annotated[dict[str, Any], Meta(extra={"reads": "condition"})]

# Seconds, or a percentile such as "p95", which is then of somebody's own latencies; kept as text.
Lateness = Annotated[str, Meta(extra={"reads": "lateness"})]

Count = Annotated[int, Meta(ge=1)]
CountOrNone = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Share = Annotated[float, Meta(ge=0, le=1)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Weight = Annotated[float, Meta(gt=0, le=1_000_000)]

# Money and factors are exact decimals with at most nine digits after the point: whole nano-dollars.
Usd = Annotated[Decimal, Meta(extra={"reads": "decimal"})]
Factor = Annotated[Decimal, Meta(extra={"reads": "decimal"})]

NANO = 1_000_000_000


def nanousd(usd: Decimal) -> int:
    """Dollars as an integer of nano-dollars; exact, because `Usd` has at most nine digits after the point."""
    return int(usd.scaleb(9))
