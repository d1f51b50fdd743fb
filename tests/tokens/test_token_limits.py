"""Limits of a token's user hold wherever the token is used, and the user is told of them."""

from __future__ import annotations

import json

import pytest

from penstock.admission.accounts import Accounts
from penstock.admission.allowances import allowance_for, key_allowance
from penstock.admission.entry import enter
from penstock.core.errors import Refusal
from penstock.core.exchange import Subject
from penstock.core.plan import Plan, VirtualKey
from penstock.pipeline.usage import usage_body
from penstock.testing.clock import VirtualClock
from tests.tokens.issuing import Gate, claims, plan, token

USERS = ("user:acme/alice", "user:acme/bob")


class House:
    """The counters of a Plan, and keys of tokens."""

    def __init__(self) -> None:
        self.plan: Plan = plan()
        self.clock = VirtualClock()
        self.accounts = Accounts(self.clock.call_soon)
        self.accounts.apply(self.plan, self.clock.now_ms())
        self._gate = Gate()

    def key(self, user: str) -> VirtualKey:
        """The key that a token of this user is."""
        found = self._gate.key(token(claims(sub=user)))
        assert found is not None
        return found

    def look(self, user: str) -> None:
        """A request on no route, such as a look at a video. Raises Refusal."""
        now, now_ms = self.clock.monotonic(), self.clock.now_ms()
        enter(key_allowance(self.accounts, self.plan, self.key(user), now_ms), now, now_ms)


def test_a_users_own_limit_binds_where_there_is_no_route() -> None:
    """Ten a minute each: the eleventh is refused, and another user's are not."""
    house = House()
    for _ in range(10):
        house.look("alice")
    with pytest.raises(Refusal, match="the user alice may send 10 requests a minute"):
        house.look("alice")
    house.look("bob")


def test_both_ways_count_on_the_same_account() -> None:
    """What a user asked for on a route counts for looks, too."""
    house = House()
    key, now_ms = house.key("alice"), house.clock.now_ms()
    subject = Subject("acme", "", "alice", key.subject.key)
    route = house.plan.routes["echo"]
    for _ in range(9):
        allowance = allowance_for(house.accounts, house.plan, key, route, subject, key.tags, now_ms)
        assert enter(allowance, house.clock.monotonic(), now_ms) is None
    house.look("alice")
    with pytest.raises(Refusal):
        house.look("alice")


def test_usage_tells_a_user_of_a_token_what_is_left() -> None:
    """The user's own account is in the list, with what was used, and nobody else's."""
    house = House()
    house.look("alice")
    house.look("bob")
    body = usage_body(
        house.accounts, house.plan, house.key("alice"), house.clock.monotonic(), house.clock.now_ms()
    )
    told = json.loads(body)
    assert told["user"] == "alice"
    accounts = {each["account"]: each for each in told["accounts"]}
    assert USERS[0] in accounts
    assert USERS[1] not in accounts
    assert accounts[USERS[0]]["limits"][0]["used"] == 1
    assert accounts["org:acme"]["limits"][0]["used"] == 2
