"""Users who spend far more than the others of their organisation. Pure: sums by account and quarter come in."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from penstock.core.accounts import EARLIER
from penstock.core.alerts import Reading, Rule
from penstock.core.budget_alerts import NANO, QUARTER_MS

KIND = "user.outlier"
_WINDOW_QUARTERS = 4
# Below so many others a median says nothing.
_LEAST_OTHERS = 3
_CLEARS = 0.5
_USER = "user:"


def outliers(
    spent: Mapping[str, Mapping[int, int]], now_ms: int, *, times: float, least_nanousd: int, cooldown_ms: int
) -> list[Reading]:
    """A reading for each user who spent anything in the last hour and has enough others to be compared with.

    The value is how many times the median of the others it was; below `least_nanousd` it is 0.
    """
    first = now_ms // QUARTER_MS - _WINDOW_QUARTERS + 1
    by_org: dict[str, dict[str, int]] = {}
    for account, slots in spent.items():
        if account.startswith(_USER):
            total = sum(amount for slot, amount in slots.items() if slot != EARLIER and slot >= first)
            if total > 0:
                org, _, user = account.removeprefix(_USER).partition("/")
                by_org.setdefault(org, {})[user] = total
    found: list[Reading] = []
    rule = Rule(KIND, "warning", times, times * _CLEARS, cooldown_ms)
    for org, users in by_org.items():
        if len(users) <= _LEAST_OTHERS:
            continue
        for user, total in users.items():
            usual = median(amount for other, amount in users.items() if other != user)
            value = total / usual if total >= least_nanousd else 0.0
            found.append(_reading(rule, org, user, total, usual, value))
    return found


def _reading(rule: Rule, org: str, user: str, total: int, usual: float, value: float) -> Reading:
    return Reading(
        rule=rule,
        group=f"{KIND} {org}/{user}",
        subject=f"user {org}/{user}",
        value=value,
        message=f"user {org}/{user} has spent ${total / NANO:,.2f} in the last hour, {value:.0f} times what "
        f"the others of {org} have in the middle (${usual / NANO:,.2f})",
        org=org,
        labels={
            "account": f"{_USER}{org}/{user}",
            "spent_nanousd": str(total),
            "median_nanousd": str(int(usual)),
        },
    )
