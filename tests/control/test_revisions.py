"""Every change is one revision, and there is a way back."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.config.problem import ConfigError
from penstock.control.problems import Denied
from penstock.control.publish import Publisher
from penstock.ports.control_store import RevisionQuery
from tests.control.house import CONFIG, House


def test_the_file_becomes_the_first_revision(house: House) -> None:
    """What stands in it is listed as its own, and published."""
    [first] = house.revisions.page(house.owner, RevisionQuery())
    assert (first.number, first.author, first.origin) == (1, "file", "file")
    assert house.objects.get(house.owner, "route", "", "echo").managed_by == "file"
    assert set(house.published.routes) == {"echo"}
    assert first.content != ""


def test_a_change_is_a_revision_with_author_and_reason(house: House) -> None:
    """Who and why stand in the history, and gateways get the file's and the stored objects as one document."""
    _, created, applied = house.objects.put(
        house.owner, "route", "", "mine", {"policy": "sim/echo"}, reason="a new product"
    )
    newest = house.revisions.page(house.owner, RevisionQuery(limit=1))[0]
    assert (created, applied.number, applied.changed, applied.behind) == (True, 2, True, [])
    assert (newest.author, newest.reason, newest.origin) == ("operator:test", "a new product", "api")
    assert set(house.published.routes) == {"echo", "mine"}


def test_the_same_again_is_no_revision(house: House) -> None:
    """PUT is idempotent, a secret included, although sealing it twice gives different bytes."""
    body = {"kind": "openai", "api_key": "sk-vendor", "headers": {"x-a": "one"}}
    for _ in range(3):
        house.objects.put(house.owner, "provider", "", "vendor", body)
    assert house.head() == 2
    with house.client() as client:
        shown = client.get("/admin/api/providers/vendor").json()["spec"]
    house.objects.put(house.owner, "provider", "", "vendor", shown)
    assert house.head() == 2


def test_what_is_invalid_changes_nothing(house: House) -> None:
    """The loader's own problems come back with their paths; database and snapshot stay as they were."""
    before = house.state.snapshot.read_bytes()
    bad: dict[str, dict[str, Any]] = {
        "unknown key": {"policy": "sim/echo", "nonsense": {}},
        "no such target": {"policy": "nobody/model"},
        "no engine": {"policy": "sim/echo", "slo": {"class": "chat"}},
    }
    for body in bad.values():
        with pytest.raises(Denied) as refused:
            house.objects.put(house.owner, "route", "", "bad", body)
        assert refused.value.code == "config_invalid"
        assert refused.value.errors[0].path.startswith("routes.bad")
    assert (house.head(), house.state.snapshot.read_bytes()) == (1, before)


def test_secrets_are_sealed_and_never_shown(house: House) -> None:
    """Not in the database, its revisions, its audit log, differences, or what control keeps for a start."""
    house.objects.put(house.owner, "provider", "", "vendor", {"kind": "openai", "api_key": "sk-very-secret"})
    house.objects.put(house.owner, "provider", "", "vendor", {"kind": "openai", "api_key": "sk-very-other"})
    house.config.write_text(CONFIG + "  # changed\n" + "defaults: {max_output_tokens: 100}\n")
    house.plane.take_file()
    house.close()
    files = [path for path in house.state.root.rglob("*") if path.is_file()]
    assert {"control.db", "control.known", "snapshot"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        for secret in (b"sk-very-secret", b"sk-very-other", b"sk-filed"):
            assert secret not in content, path
    house.open()
    before, after = (
        house.revisions.diff(house.owner, 2, 3)[0].before,
        house.revisions.diff(house.owner, 2, 3)[0].after,
    )
    assert before is not None
    assert after is not None
    assert before["api_key"] != after["api_key"]
    assert str(before["api_key"]).startswith("********")
    assert house.published.providers["vendor"].api_key is not None


def test_differences_go_both_ways_and_skip_what_came_and_went(house: House) -> None:
    """Between two revisions only the outcome counts."""

    def put(name: str, target: str) -> None:
        house.objects.put(house.owner, "route", "", name, {"policy": target})

    put("a", "sim/echo")
    put("b", "sim/echo")
    put("a", "sim/slow-1ms")
    house.objects.delete(house.owner, "route", "", "b")
    forward = {one.name: one for one in house.revisions.diff(house.owner, 1, 5)}
    assert set(forward) == {"a"}
    assert (forward["a"].before, forward["a"].after and forward["a"].after["policy"]) == (None, "sim/slow-1ms")
    backward = house.revisions.diff(house.owner, 5, 2)
    assert [(one.before and one.before["policy"], one.after and one.after["policy"]) for one in backward] == [
        ("sim/slow-1ms", "sim/echo")
    ]
    assert house.revisions.diff(house.owner, 3, 3) == []


def test_a_rollback_is_a_new_revision_with_the_old_configuration(house: House) -> None:
    """Objects that came are gone, those that went are back, and history stays whole."""
    house.objects.put(house.owner, "route", "", "old", {"policy": "sim/echo"})
    house.objects.put(house.owner, "route", "", "old", {"policy": "sim/slow-1ms"})
    house.objects.put(house.owner, "route", "", "new", {"policy": "sim/echo"})
    applied = house.revisions.rollback(house.owner, 2, reason="it was better")
    assert applied.number == 5
    assert set(house.published.routes) == {"echo", "old"}
    assert house.objects.get(house.owner, "route", "", "old").body == {"policy": "sim/echo"}
    newest = house.revisions.page(house.owner, RevisionQuery(limit=1))[0]
    assert (newest.origin, newest.reason) == ("rollback", "rollback to revision 2: it was better")
    house.revisions.rollback(house.owner, 4)
    assert set(house.published.routes) == {"echo", "old", "new"}


def test_a_rollback_gives_no_right_back(house: House) -> None:
    """A revoked key stays revoked, a rotated one keeps its new secret, a withdrawn role stays withdrawn."""
    house.keys.create(house.owner, "acme", "leaked", {})
    house.member("acme", "ann", "owner")
    before = house.head()
    house.keys.revoke(house.owner, "acme", "leaked")
    house.objects.delete(house.owner, "role_binding", "acme", "ann-owner")
    house.keys.rotate(house.owner, "acme", "ann-key", overlap_s=0)
    hashed = [key.secret for key in house.published.keys if key.name == "acme:ann-key"]
    house.objects.put(house.owner, "route", "", "later", {"policy": "sim/echo"})
    house.revisions.rollback(house.owner, before)
    assert "later" not in house.published.routes
    assert "acme:leaked" not in {key.name for key in house.published.keys}
    assert [key.secret for key in house.published.keys if key.name == "acme:ann-key"] == hashed
    with pytest.raises(Denied) as gone:
        house.objects.get(house.owner, "role_binding", "acme", "ann-owner")
    assert gone.value.code == "not_found"


def test_a_rollback_that_would_not_be_valid_is_refused(house: House) -> None:
    """A key that came later needs a route that was not there yet."""
    house.objects.put(house.owner, "route", "", "later", {"policy": "sim/echo"})
    house.keys.create(house.owner, "acme", "user", {"routes": ["later"]})
    with pytest.raises(Denied) as refused:
        house.revisions.rollback(house.owner, 1)
    assert refused.value.code == "config_invalid"
    for number in (0, 99):
        with pytest.raises(Denied) as unknown:
            house.revisions.rollback(house.owner, number)
        assert unknown.value.code == "not_found"


def test_a_rollback_of_the_file_holds_until_the_file_changes(house: House) -> None:
    """Neither a restart nor a touch undoes it; the next change of meaning is taken."""
    house.config.write_text(CONFIG.replace("sim/echo", "sim/slow-1ms"))
    house.plane.take_file()
    house.revisions.rollback(house.owner, 1)
    policy = house.published.routes["echo"].policy
    house.config.write_text("# a comment\n" + CONFIG.replace("sim/echo", "sim/slow-1ms"))
    house.close()
    house.open()
    assert house.published.routes["echo"].policy == policy
    assert house.publisher.read().routes["echo"].policy == policy
    house.config.write_text(CONFIG.replace("sim/echo", "sim/error-429"))
    house.plane.take_file()
    assert house.published.routes["echo"].policy != policy


def test_an_invalid_file_never_replaces_a_valid_one(house: House) -> None:
    """Broken by itself, or only together with the stored objects: what is in force goes on."""
    house.objects.put(house.owner, "route", "", "mine", {"policy": "sim/echo"})
    before = house.state.snapshot.read_bytes()
    house.config.write_text("version: 1\nroutes: {x: {policy: nobody/x}}\n")
    with pytest.raises(ConfigError):
        house.plane.take_file()
    house.config.write_text("version: 1\nproviders: {other: {kind: simulator}}\n")
    with pytest.raises(Denied) as refused:
        house.plane.take_file()
    assert refused.value.errors[0].path == "routes.mine.policy"
    assert (house.head(), house.state.snapshot.read_bytes()) == (2, before)


def test_a_name_is_unique_across_the_file_and_the_api(house: House) -> None:
    """Neither side takes the other's name, and the file's objects are read-only here."""
    with pytest.raises(Denied) as refused:
        house.objects.put(house.owner, "route", "", "echo", {"policy": "sim/slow-1ms"})
    assert refused.value.code == "managed_by_file"
    with pytest.raises(Denied) as refused:
        house.objects.delete(house.owner, "team", "acme", "red")
    assert refused.value.code == "managed_by_file"
    house.objects.put(house.owner, "route", "", "mine", {"policy": "sim/echo"})
    house.config.write_text(CONFIG.replace("{echo:", "{mine: {policy: sim/echo}, echo:"))
    with pytest.raises(ConfigError, match=r"routes\.mine.*admin API"):
        house.plane.take_file()


def test_a_start_without_the_database_knows_the_stored_objects(house: House) -> None:
    """`penstock serve` publishes its first snapshot from the file and what control kept beside it."""
    house.objects.put(house.owner, "provider", "", "vendor", {"kind": "openai", "api_key": "sk-vendor"})
    house.keys.create(house.owner, "acme", "made", {"routes": ["echo"]})
    house.state.control_db.rename(house.state.control_db.with_suffix(".away"))
    document = house.publisher.read()
    assert document.providers == house.published.providers
    assert {key.name for key in document.keys} == {"filed", "acme:made"}
    house.config.write_text(CONFIG + "defaults: {max_output_tokens: 77}\n")
    document = house.publisher.read()
    assert document.defaults.max_output_tokens == 77
    assert {key.name for key in document.keys} == {"filed", "acme:made"}
    assert isinstance(house.publisher, Publisher)


def test_references_of_tenants_are_text(house: House) -> None:
    """What an organisation writes never reads our environment; an administrator's references stay."""
    house.env["DEPLOY_TOKEN"] = "sk-hidden"
    house.keys.create(house.owner, "acme", "curious", {"tags": {"note": "${DEPLOY_TOKEN}"}})
    [key] = [key for key in house.published.keys if key.name == "acme:curious"]
    assert key.tags == {"note": "${DEPLOY_TOKEN}"}
    house.objects.put(house.owner, "provider", "", "v", {"kind": "openai", "api_key": "${DEPLOY_TOKEN}"})
    secret = house.published.providers["v"].api_key
    assert secret is not None
    assert secret.shown() == "${DEPLOY_TOKEN}"
    for body in ({"kind": "openai", "api_key": {"$sealed": "AAAA"}}, {"kind": "openai", "$state": "x"}):
        with pytest.raises(Denied):
            house.objects.put(house.owner, "provider", "", "w", body)
