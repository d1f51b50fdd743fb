"""Who is told when something is wrong (docs/alerts.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

from penstock.config.document.fields import Duration, Name, Text
from penstock.config.document.secret import Secret

Severity = Literal["info", "warning", "critical"]


class AlertWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address that alerts are posted to, signed as Standard Webhooks are.

    Attributes:
        url: Where to post, `https://…` or `http://…`; a secret, as it may have a token.
        secret: What signs: `whsec_` and 24 to 64 random bytes in base64.
        previous_secret: Signs as well while the receiver changes over to the new secret.
        kinds: Which alerts it gets, such as `budget.share` or `budget.*`; without it, all.
        min_severity: The least severity that it gets.
        orgs: Only alerts about these organisations; without it, all, and those about none.
    """

    url: Secret
    secret: Secret
    previous_secret: Secret | None = None
    kinds: tuple[Text, ...] = ()
    min_severity: Severity = "info"
    orgs: tuple[Name, ...] = ()


class Alerts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts go to the worker's log always, and to these webhooks.

    Attributes:
        webhooks: Webhooks by name.
        deprecations: A JSON file of models that will be gone: a list of `{"model": "provider/model", "date":
            "2027-03-01", "instead": "…", "source": "https://…"}`. Read anew when it changes.
        cooldown: How long the same alert is not raised again after it was, such as `1h`.
    """

    webhooks: dict[Name, AlertWebhook] = {}
    deprecations: Text | None = None
    cooldown_s: Duration = msgspec.field(default=3600, name="cooldown")
