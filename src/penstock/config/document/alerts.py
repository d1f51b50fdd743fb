"""Who is told when something is wrong (docs/alerts.md)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from penstock.config.document.fields import Duration, Name, Text, Usd, nanousd
from penstock.config.document.limits import Limits
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


class AlertAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done about an alert, besides telling somebody: whom it is about is bound tighter for a while.

    It makes a throttle of the user or key that the alert is about, which the admin API lists and removes.

    Attributes:
        kinds: Which alerts, such as `user.outlier` or `budget.share`.
        min_severity: The least severity.
        orgs: Only alerts about these organisations; without it, all.
        limits: How much they may use meanwhile; without any, and without `downgrade`, they are only told.
        downgrade: A route that serves all of their requests meanwhile.
        for: How long it holds, such as `1h`.
    """

    kinds: tuple[Text, ...]
    min_severity: Severity = "info"
    orgs: tuple[Name, ...] = ()
    limits: Limits = Limits()
    downgrade: Name | None = None
    for_s: Duration = msgspec.field(default=3600, name="for")


class Outliers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a user of an organisation spends so much more than its others that somebody should look.

    What each user spent in the last hour is compared with the median of the organisation's other users who
    spent anything, of whom there must be three.

    Attributes:
        times: How many times the median.
        least_usd: Less than this in an hour is never told.
    """

    times: Annotated[float, msgspec.Meta(gt=1, le=1_000_000)] = 20.0
    least_usd: Usd = Decimal(1)

    @property
    def least_nanousd(self) -> int:
        """The least sum as an integer of nano-dollars."""
        return nanousd(self.least_usd)


class Alerts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts go to the worker's log always, and to these webhooks.

    Attributes:
        webhooks: Webhooks by name.
        deprecations: A JSON file of models that will be gone: a list of `{"model": "provider/model", "date":
            "2027-03-01", "instead": "…", "source": "https://…"}`. Read anew when it changes.
        cooldown: How long the same alert is not raised again after it was, such as `1h`.
        outliers: Tell of users who spend far more than the others; without it nobody looks.
        actions: What is done about alerts, by name.
    """

    webhooks: dict[Name, AlertWebhook] = {}
    deprecations: Text | None = None
    cooldown_s: Duration = msgspec.field(default=3600, name="cooldown")
    outliers: Outliers | None = None
    actions: dict[Name, AlertAction] = {}
