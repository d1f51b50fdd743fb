"""A typed client of the admin API, synchronous and asynchronous.

```python
from penstock.client import Client

with Client("https://gateway.example.com", token="…") as penstock:
    key = penstock.keys.create("ci", org="acme", spec={"routes": ["support"]})
    print(key.secret)
```
"""

from penstock.client.asynchronous import AsyncClient
from penstock.client.errors import ProblemError, UnreachableError
from penstock.client.models import (
    Applied,
    Apply,
    CacheOf,
    CacheStatus,
    Diff,
    Difference,
    Exchange,
    ExchangePage,
    Item,
    Key,
    Killed,
    MeteringPage,
    Page,
    Purged,
    PurgedBy,
    Revision,
    Store,
    Verdict,
    Who,
)
from penstock.client.synchronous import Client

__all__ = [
    "Applied",
    "Apply",
    "AsyncClient",
    "CacheOf",
    "CacheStatus",
    "Client",
    "Diff",
    "Difference",
    "Exchange",
    "ExchangePage",
    "Item",
    "Key",
    "Killed",
    "MeteringPage",
    "Page",
    "ProblemError",
    "Purged",
    "PurgedBy",
    "Revision",
    "Store",
    "UnreachableError",
    "Verdict",
    "Who",
]
