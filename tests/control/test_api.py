"""The admin API over HTTP: pages, preconditions, idempotency, problem details."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.control.problems import CODES
from tests.control.house import House


def test_lists_come_in_pages_without_gap_or_repetition(house: House) -> None:
    """Following next_cursor gives each object once, in order, even when others come and go meanwhile."""
    with house.client() as client:
        changes = {"set": {"routes": {f"r{number:02}": {"policy": "sim/echo"} for number in range(7)}}}
        assert client.post("/admin/api/apply", json=changes).status_code == 200
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query = {"limit": "3", **({"cursor": cursor} if cursor else {})}
            page = client.get("/admin/api/routes", params=query).json()
            seen += [item["name"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            client.put(f"/admin/api/routes/aa-{len(seen)}", json={"policy": "sim/echo"})
        assert seen == ["echo", *(f"r{number:02}" for number in range(7))]


def test_every_list_is_paged_and_filtered(house: House) -> None:
    """Each list of the OpenAPI document takes limit and cursor, and refuses a cursor that is none."""
    with house.client() as client:
        document = client.get("/admin/api/schema").json()
        lists = [
            path for path, operations in document["paths"].items()
            if operations.get("get", {}).get("operationId", "").startswith("list_")
        ]  # fmt: skip
        assert len(lists) == 15
        for path in lists:
            page = client.get(path, params={"limit": 1}).json()
            assert len(page["items"]) <= 1
            if page["next_cursor"]:
                assert client.get(path, params={"limit": 1, "cursor": page["next_cursor"]}).status_code == 200
            for bad in ("x", "bm9uc2Vuc2U", "W10"):
                refused = client.get(path, params={"cursor": bad})
                assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")
            for limit in ("0", "501", "many"):
                assert client.get(path, params={"limit": limit}).status_code == 400
        assert client.get("/admin/api/keys?org=acme&team=red").json()["items"][0]["name"] == "filed"
        assert client.get("/admin/api/keys?managed_by=api").json()["items"] == []
        assert client.get("/admin/api/teams?prefix=r").json()["items"][0]["name"] == "red"


def test_etags_guard_changes(house: House) -> None:
    """A change on what somebody else has changed is refused; `*` says what must be or not be there."""
    path, body = "/admin/api/routes/r", {"policy": "sim/echo"}
    with house.client() as client:
        assert client.put(path, json=body, headers={"if-match": "*"}).status_code == 412
        made = client.put(path, json=body, headers={"if-none-match": "*"})
        assert made.status_code == 201
        assert client.put(path, json=body, headers={"if-none-match": "*"}).status_code == 412
        etag = made.headers["etag"]
        changed = client.put(path, json={"policy": "sim/slow-1ms"}, headers={"if-match": etag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != etag
        stale = client.put(path, json=body, headers={"if-match": etag})
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
        assert client.delete(path, headers={"if-match": etag}).status_code == 412
        assert client.put(path, json=body, headers={"if-match": '"nonsense"'}).status_code == 412
        both = f"{etag}, {changed.headers['etag']}"
        assert client.put(path, json=body, headers={"if-match": both}).status_code == 200
        assert client.delete(path, headers={"if-match": "*"}).status_code == 200
        assert client.delete(path).status_code == 404


def test_etags_save_transfers(house: House) -> None:
    """What the caller has already is answered with 304, for objects and lists."""
    with house.client() as client:
        for path in (
            "/admin/api/routes/echo",
            "/admin/api/routes",
            "/admin/api/revisions",
            "/admin/api/revisions/1",
        ):
            etag = client.get(path).headers["etag"]
            again = client.get(path, headers={"if-none-match": f'"other", {etag}'})
            assert (again.status_code, again.content) == (304, b"")
            assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_puts_are_idempotent(house: House) -> None:
    """The same twice answers the same, says that nothing changed, and leaves one revision."""
    bodies: dict[str, dict[str, Any]] = {
        "orgs/new": {"budget": {"usd": 5, "window": "day"}},
        "orgs/acme/teams/new": {"limits": {"rpm": 5}},
        "orgs/acme/users/ann": {"email": "ann@acme.example", "teams": ["red"]},
        "orgs/acme/service-accounts/ci": {"team": "red"},
        "orgs/acme/role-bindings/ann": {"user": "ann", "role": "viewer"},
        "orgs/-/users/root": {"email": "root@here.example"},
        "orgs/acme/keys/k": {"user": "ann", "limits": {"rpm": 1}},
        "providers/v": {"kind": "openai", "api_key": "sk-v"},
        "deployments/d": {"provider": "sim", "model": "echo", "price": {"input": 0.25, "output": 1}},
        "routes/r": {"policy": {"fallback": ["d", "sim/echo", {"static": "later"}]}},
    }
    with house.client() as client:
        for path, body in bodies.items():
            first = client.put(f"/admin/api/{path}", json=body)
            again = client.put(f"/admin/api/{path}", json=body)
            assert (first.status_code, again.status_code) == (201, 200), (path, first.text)
            assert first.headers["etag"] == again.headers["etag"]
            assert first.json()["applied"]["changed"]
            assert not again.json()["applied"]["changed"]
            read = client.get(f"/admin/api/{path}").json()
            assert read["version"] == again.json()["version"] == first.json()["version"]
            if path != "providers/v":
                assert read["spec"] == body
    assert house.head() == 1 + len(bodies)


def test_refusals_are_problem_details(house: House) -> None:
    """Each has RFC 9457's members, a known code, and the request's id, also in a header."""
    with house.client() as client:
        long = "x" * 200
        answers = [
            client.get("/admin/api/nowhere"),
            client.get("/admin/api/routes/none"),
            client.post("/admin/api/routes", json={}),
            client.put("/admin/api/routes/r", content=b"{", headers={"content-type": "application/json"}),
            client.put("/admin/api/routes/r", content=b"[]", headers={"content-type": "application/json"}),
            client.put("/admin/api/routes/r", content=b"{}", headers={"content-type": "text/plain"}),
            client.put("/admin/api/routes/r", json={"policy": "x" * 1_100_000}),
            client.put("/admin/api/routes/r r", json={"policy": "sim/echo"}),
            client.put(f"/admin/api/routes/{long}", json={"policy": "sim/echo"}),
            client.put("/admin/api/orgs/none/teams/t", json={}),
            client.put("/admin/api/orgs/a:b", json={}),
            client.put("/admin/api/routes/r?reason=" + "y" * 600, json={"policy": "sim/echo"}),
            client.get("/admin/api/audit?since=yesterday"),
            client.get("/admin/api/revisions/7"),
            client.get("/admin/api/revisions/7/diff"),
            client.post("/admin/api/apply", json={"sett": {}}),
            client.post("/admin/api/apply", json={"set": {"servers": {}}}),
            client.post("/admin/api/keys", json={"spec": {}}),
            client.put("/admin/api/routes/echo", json={"policy": "sim/echo"}),
        ]
        client.headers.pop("authorization")
        answers.append(client.get("/admin/api/routes"))
    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
        said = answer.json()
        assert said.keys() == {"type", "title", "status", "code", "detail", "request_id", "errors"}
        assert said["code"] in CODES
        assert said["status"] == answer.status_code
        assert said["request_id"] == answer.headers["x-penstock-request-id"]
    assert answers[-1].headers["www-authenticate"].startswith("Bearer")
    assert house.head() == 1


def test_several_changes_are_one_revision_or_none(house: House) -> None:
    """One that is wrong takes the others with it; a dry run changes nothing and shows what would."""
    good: dict[str, Any] = {
        "set": {
            "providers": {"two": {"kind": "simulator"}},
            "routes": {"r": {"policy": "two/echo"}},
            "orgs": {"gamma": {"budget": {"usd": 1, "window": "day"}, "teams": {"t": {}}, "users": {"u": {}}}},
        }
    }
    bad: dict[str, Any] = {"set": {**good["set"], "deployments": {"d": {"provider": "nobody", "model": "m"}}}}
    with house.client() as client:
        assert client.post("/admin/api/apply", json=bad).json()["errors"][0]["path"] == "deployments.d.provider"
        tried = client.post("/admin/api/apply?dry_run=true", json=good)
        assert house.head() == 1
        assert tried.json()["applied"] is None
        assert client.post("/admin/api/apply?dry_run=true", json=bad).status_code == 422
        done = client.post("/admin/api/apply", json=good)
        assert (done.json()["changes"], done.json()["applied"]["revision"]) == (tried.json()["changes"], 2)
        assert client.get("/admin/api/orgs/gamma/users/u").status_code == 200
        removed = client.post("/admin/api/apply", json={"remove": {"routes": ["r"], "providers": ["two"]}})
        assert removed.json()["applied"]["revision"] == 3
        needed = client.post("/admin/api/apply", json={"remove": {"orgs": ["gamma"]}})
        assert (needed.status_code, needed.json()["code"]) == (409, "in_use")


def test_what_belongs_to_others_goes_with_them_only_on_request(house: House) -> None:
    """Deleting an organisation, a team or a user says what hangs on it, or takes it along."""
    with house.client() as client:
        for path, body in (
            ("orgs/gamma", {}), ("orgs/gamma/teams/t", {}), ("orgs/gamma/users/u", {"teams": ["t"]}),
            ("orgs/gamma/keys/k", {"user": "u", "team": "t"}),
            ("orgs/gamma/role-bindings/b", {"user": "u", "role": "owner"}),
        ):  # fmt: skip
            assert client.put(f"/admin/api/{path}", json=body).status_code == 201, path
        for path in ("orgs/gamma", "orgs/gamma/teams/t", "orgs/gamma/users/u"):
            refused = client.delete(f"/admin/api/{path}")
            assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
            assert "key k" in refused.json()["detail"]
        assert client.delete("/admin/api/orgs/gamma?cascade=true").json()["changed"] is True
        assert client.get("/admin/api/keys?org=gamma").json()["items"] == []
        assert client.delete("/admin/api/orgs/acme?cascade=true").json()["code"] == "managed_by_file"


def test_a_provider_in_use_cannot_be_removed(house: House) -> None:
    """The configuration without it would not be valid, and the problem names who needs it."""
    with house.client() as client:
        client.put("/admin/api/providers/v", json={"kind": "simulator"})
        client.put("/admin/api/routes/r", json={"policy": "v/echo"})
        refused = client.delete("/admin/api/providers/v").json()
    assert (refused["code"], refused["errors"][0]["path"]) == ("config_invalid", "routes.r.policy")


@pytest.mark.parametrize("path", ["/admin/api/schema", "/admin/api/whoami"])
def test_the_schema_alone_needs_no_credential(house: House, path: str) -> None:
    """It names no object; everything else asks who is there."""
    with house.client("") as client:
        assert client.get(path).status_code == (200 if path.endswith("schema") else 401)
