"""The one place that decides who may do what."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.permissions import (
    OF_INSTALLATION,
    RIGHTS,
    ROLES,
    Grant,
    Place,
    Principal,
    Resource,
    Target,
    allows,
    may_grant,
    visible,
)

PLACES = st.sampled_from([Place(), Place("a"), Place("a", "x"), Place("a", "y"), Place("b"), Place("b", "x")])
GRANTS = st.builds(Grant, st.sampled_from(ROLES), PLACES)
PRINCIPALS = st.builds(
    Principal,
    st.just("user"),
    st.just("user:a/u"),
    st.lists(GRANTS, max_size=3).map(tuple),
    st.just("a"),
    st.just("u"),
)
RESOURCES: list[Resource] = list(RIGHTS["owner"])
TARGETS = st.builds(Target, st.sampled_from(RESOURCES), PLACES, st.sampled_from(["", "u", "v"]))
ACTIONS = st.sampled_from(["read", "write", "delete"])


def test_without_a_grant_nothing_is_allowed() -> None:
    """Who holds no role sees nothing, changes nothing, gives nothing."""
    nobody = Principal("user", "user:a/u", (), "a", "u")
    for resource in RESOURCES:
        assert visible(nobody, resource) == ()
        for action in ("read", "write", "delete"):
            assert not allows(nobody, action, Target(resource, Place("a"), "u"))
    assert not any(may_grant(nobody, role, Place("a")) for role in ROLES)


@settings(deadline=None)
@given(PRINCIPALS, ACTIONS, TARGETS)
def test_a_grant_reaches_its_place_and_below(principal: Principal, action: str, target: Target) -> None:
    """Whatever is allowed is allowed by a grant whose place holds the object's."""
    if allows(principal, action, target):  # type: ignore[arg-type]
        assert any(grant.reaches(target.place) for grant in principal.grants)


@settings(deadline=None)
@given(PRINCIPALS, TARGETS)
def test_what_is_listed_can_be_read_and_the_other_way_round(principal: Principal, target: Target) -> None:
    """The filter of lists and the check of single objects agree, apart from what is one's own."""
    scopes = visible(principal, target.resource)
    place = target.place
    listed = scopes is None or any(
        bool(org) and org == place.org and team in ("", place.team) for org, team in scopes
    )
    plain = Target(target.resource, place)
    if target.resource in OF_INSTALLATION and place.org:
        return  # there is no such object
    assert listed == allows(principal, "read", plain)


@settings(deadline=None)
@given(PRINCIPALS, st.sampled_from(ROLES), PLACES)
def test_nobody_hands_on_more_than_he_has(principal: Principal, role: str, place: Place) -> None:
    """Who may give a role at a place may do there all that the role may."""
    if not may_grant(principal, role, place):  # type: ignore[arg-type]
        return
    other = Principal("user", "user:a/v", (Grant(role, place),), place.org, "v")  # type: ignore[arg-type]
    for resource in RESOURCES:
        for action in ("read", "write", "delete"):
            target = Target(resource, place)
            if allows(other, action, target):  # type: ignore[arg-type]
                assert allows(principal, action, target)  # type: ignore[arg-type]


def test_bounds_are_set_from_above() -> None:
    """An organisation's owner cannot raise its budget, nor a team's owner the team's; who stands above can."""
    org, team = Target("org", Place("a")), Target("team", Place("a", "x"))

    def of(place: Place) -> Principal:
        return Principal("user", "u", (Grant("owner", place),))

    assert not allows(of(Place("a")), "write", org)
    assert allows(of(Place("a")), "write", team)
    assert not allows(of(Place("a", "x")), "write", team)
    assert allows(of(Place()), "write", org)
    assert allows(of(Place("a", "x")), "read", team)
