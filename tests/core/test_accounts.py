"""The accounts of an attempt, and what tells one from another."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.accounts import SLOT_MS, accounts_of, is_brief, slot_of
from penstock.core.exchange import RequestFacts, Subject

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True)
FREE = st.text(max_size=8)


def facts(
    session: str = "", task: str = "", route: str = "", tags: dict[str, str] | None = None
) -> RequestFacts:
    """A request with what accounts depend on."""
    return RequestFacts("req_1", 0, "", "", route, "m", session=session, task=task, tags=tags or {})


def test_each_level_that_is_set_has_an_account() -> None:
    """All kinds, in the order of the levels; of tags only those that have budgets."""
    subject = Subject("acme", "research", "42", "dev")
    request = facts("s1", "t1", "support", {"feature": "search", "tier": "gold"})
    assert accounts_of(subject, request, "openai/gpt-4o", frozenset({"tier", "absent"})) == (
        "org:acme",
        "team:acme/research",
        "user:acme/42",
        "key:dev",
        "route:support",
        "deployment:openai/gpt-4o",
        "session:acme/s1",
        "task:acme/t1",
        "tag:acme/tier=gold",
    )
    assert accounts_of(Subject(), facts(), "") == ()


@given(NAMES, NAMES, FREE, FREE, FREE, FREE)
def test_no_client_reaches_the_account_of_another_organisation(
    mine: str, other: str, user: str, session: str, task: str, tag: str
) -> None:
    """Whatever a client writes into its user, session, task and tags stays within its organisation."""
    if mine == other:
        return
    tags = frozenset({"name"})
    ours = accounts_of(Subject(mine, "", user), facts(session, task, tags={"name": tag}), "", tags)
    theirs = accounts_of(Subject(other, "", user), facts(session, task, tags={"name": tag}), "", tags)
    assert not set(ours) & set(theirs)
    assert all(each.partition(":")[2].partition("/")[0] == mine for each in ours)


def test_a_slot_is_a_quarter_of_an_hour() -> None:
    """Its first and last millisecond fall into it; only sessions and tasks are brief."""
    assert [slot_of(at) for at in (0, SLOT_MS - 1, SLOT_MS)] == [0, 0, 1]
    assert [is_brief(each) for each in ("session:a/1", "task:a/1", "key:session:", "org:task")] == [
        *(True, True, False, False)
    ]
