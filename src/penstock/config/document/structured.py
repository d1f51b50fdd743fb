"""Answers that must obey a JSON schema."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from penstock.config.document.fields import Text


class Structured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to answers of requests that say what form they have: by a JSON schema, or by tools.

    Answers are held back until they are whole. Values that have one meaning are brought to the schema's form
    (case, numbers, dates, enumerated words); what still does not obey is asked for again, and then the policy
    goes on to its next target.

    Attributes:
        lenient: Whether JSON that is slightly broken (a fence, a comma, a quote) is read all the same.
        reasks: How often the model is asked again in one exchange, with what is wrong.
        on_invalid: What the client gets where nothing helps: an `error`, or the answer as it came (`pass`).
        aliases: Other words for enumerated values, by property; `*` stands for every property.
    """

    lenient: bool = True
    reasks: Annotated[int, Meta(ge=0, le=5)] = 1
    on_invalid: Literal["error", "pass"] = "error"
    aliases: dict[Text, dict[Text, Text]] = {}
