"""The accounts that an attempt is charged to, by their ids: one for each level that can have a budget.

Sums of money are kept by (writer boot, account, slot). A slot is a quarter of an hour since the Unix epoch: the
offset of every time zone in use is a multiple of it, so each calendar window of each zone is a run of slots.
"""

from __future__ import annotations

from penstock.core.exchange import RequestFacts, Subject

SLOT_MS = 900_000
SLOTS_PER_DAY = 96
# How long slots are kept: those of sessions and tasks, which are many and short, and all others.
BRIEF_SLOTS = SLOTS_PER_DAY
KEPT_SLOTS = 40 * SLOTS_PER_DAY
# What is older than `KEPT_SLOTS` is added up here, so that totals never forget.
EARLIER = -1
# A vendor's absurd count must not spoil a sum: no attempt counts as more than this (nine million dollars).
MOST_NANOUSD = 2**53
NO_TAGS: frozenset[str] = frozenset()
_BRIEF = ("session:", "task:")


def slot_of(at_ms: int) -> int:
    """The slot of an instant."""
    return at_ms // SLOT_MS


def is_brief(account: str) -> bool:
    """Whether the account is a session's or a task's, of which only the last day is kept."""
    return account.startswith(_BRIEF)


def accounts_of(
    subject: Subject, facts: RequestFacts, target: str, tags: frozenset[str] = NO_TAGS
) -> tuple[str, ...]:
    """The accounts of one attempt at `target`; levels that are not set have none.

    Names of organisations hold no slash, so no client's user, session or tag value reaches another's account.
    `tags` are the names of the tags that have budgets; of all others nothing is kept.
    """
    org = subject.org
    accounts: list[str] = []
    if org:
        accounts.append(f"org:{org}")
        if subject.team:
            accounts.append(f"team:{org}/{subject.team}")
    if subject.user:
        accounts.append(f"user:{org}/{subject.user}")
    if subject.key:
        accounts.append(f"key:{subject.key}")
    if facts.route:
        accounts.append(f"route:{facts.route}")
    if target:
        accounts.append(f"deployment:{target}")
    if facts.session:
        accounts.append(f"session:{org}/{facts.session}")
    if facts.task:
        accounts.append(f"task:{org}/{facts.task}")
    if tags:
        found = facts.tags
        accounts += [f"tag:{org}/{name}={found[name]}" for name in sorted(tags) if name in found]
    return tuple(accounts)
