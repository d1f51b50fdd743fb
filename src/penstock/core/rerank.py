"""Documents ordered by how well they answer a query, in no vendor's words: what is asked, and what is answered.

As with conversations (core/chat.py), `extras` carry what only one API shape knows. Shapes: `cohere.rerank`,
`jina.rerank`, `voyage.rerank`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras

Ranked = str | dict[str, Any]
"""A document: text, or an object with the fields that are ranked (`text`, `image`, a vendor's or one's own)."""


class RerankRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks. Everything that was not said is None or empty.

    `fields` are those of a document object that count, in order; `truncate` is whether what is too long
    may be cut.
    """

    model: str
    query: Ranked = ""
    documents: tuple[Ranked, ...] = ()
    top_n: int | None = None
    return_documents: bool | None = None
    max_tokens_per_doc: int | None = None
    fields: tuple[str, ...] = ()
    truncate: bool | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    extras: Extras | None = None


class RankResult(msgspec.Struct, frozen=True):
    """The document at `index` of the request, and how relevant it is; `document` if the vendor repeats it."""

    index: int
    score: float
    document: Ranked | None = None
    extras: Extras | None = None


class RerankReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider answers, best first. A vendor's search units are `usage.counts.requests`."""

    id: str = ""
    model: str = ""
    results: tuple[RankResult, ...] = ()
    usage: ReplyUsage | None = None
    extras: Extras | None = None
