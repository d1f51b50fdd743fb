"""Guards: what looks at requests and answers, and what follows from what it finds."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from penstock.config.document.fields import Count, CountOrNone, Name, Seconds, Share, Text, Url
from penstock.config.document.secret import Secret

GuardRole = Literal["system", "user", "assistant", "tool_call", "tool_result", "context"]


class Guard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that looks at requests or answers and gives a verdict.

    Attributes:
        kind: What it looks for, such as `pii` or `injection`, or the name of a plugin.
        action: What follows from a finding: `block` refuses the request or withholds the answer, `redact`
        replaces
            what was found, `warn` tells client and ledger, `log` only the ledger, `route` lets another route
            answer.
        threshold: Least certainty of a finding, from 0 to 1.
        on_error: `closed` blocks where the guard itself fails or is late; `open` lets through.
        deadline_s: How long a guard may take that asks somebody else.
        roles: Whose texts it looks at; everybody's where nothing is said.
        reversible: Whether what is redacted in a request is put back into the answer.
        message: What the client is told of a block.
        to: The route that answers instead, for the action `route`.
        entities: What kinds of findings count, such as `EMAIL_ADDRESS`; all where nothing is said.
        patterns: Regular expressions (RE2), for `regex`.
        words: Words and phrases, for `keywords` and `brands`; further ones for `phrases`.
        min_chars: Fewest characters of a text, for `length`.
        max_chars: Most characters of a text, for `length`.
        languages: The languages that texts may have, as ISO 639-1 codes, for `language`.
        allow: Hosts that addresses may lead to, and the hosts below them, for `urls`.
        deny: Hosts that addresses must not lead to, and the hosts below them, for `urls`.
        url: Where to post, for `webhook`.
        secret: Signs what is posted, for `webhook`: `whsec_` and 24 to 64 random bytes in base64.
        route: Who is asked, for `judge`, `groundedness` and `moderation`.
        question: What the judge is asked about a text, for `judge`.
        options: Whatever a plugin takes.
    """

    kind: Name
    action: Literal["block", "redact", "warn", "log", "route"] | None = None
    threshold: Share | None = None
    on_error: Literal["open", "closed"] = "closed"
    deadline_s: Seconds = 2.0
    roles: tuple[GuardRole, ...] = ()
    reversible: bool = False
    message: Text | None = None
    to: Name | None = None
    entities: tuple[Text, ...] = ()
    patterns: tuple[Text, ...] = ()
    words: tuple[Text, ...] = ()
    min_chars: CountOrNone | None = None
    max_chars: Count | None = None
    languages: tuple[Text, ...] = ()
    allow: tuple[Text, ...] = ()
    deny: tuple[Text, ...] = ()
    url: Url | None = None
    secret: Secret | None = None
    route: Text | None = None
    question: Text | None = None
    options: dict[str, Any] = {}


class RouteGuards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The guards of a route, in order.

    Attributes:
        input: Guards that see the request.
        output: Guards that see the answer.
        context: Marks between which a user's text is a document of somebody else, the first by the second,
        such as
            `<documents>` by `</documents>`.
    """

    input: tuple[Name, ...] = ()
    output: tuple[Name, ...] = ()
    context: dict[Text, Text] = {}
