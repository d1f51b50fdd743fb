"""A question about routing: where a request would be led."""

from __future__ import annotations

import msgspec


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked: a request's `body`, and who would send it where.

    `path` is worked out from the body where it is empty; `route` stands for the body's model; `key` is a key's
    name, empty for one that may do everything. `draw` is the number in [0, 1) that chance would give.
    """

    body: msgspec.Raw
    path: str = ""
    route: str = ""
    key: str = ""
    tags: dict[str, str] = {}
    user: str = ""
    draw: float = 0.5
