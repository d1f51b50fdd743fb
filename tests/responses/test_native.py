"""A vendor that has the Responses API: it keeps answers, we keep whose they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.core.exchange import ExchangeSettled
from tests.clients.plain import send
from tests.responses.house import House, code, house, last_event


@pytest.fixture
def home() -> Iterator[House]:
    """Everything, with an empty store."""
    with house() as made:
        yield made


def test_a_chain_goes_on_at_the_vendor(home: House) -> None:
    """The id passes as the vendor gave it, both ways, whole and streamed; a colleague's key may go on, too."""
    first = home.made()
    second = home.create(input="More", previous_response_id=first, stream=True)
    response = last_event(second)["response"]
    assert response["previous_response_id"] == first
    third = home.create(input="Yet more", previous_response_id=response["id"], key="sk-colleague")
    assert third.json["previous_response_id"] == response["id"]
    assert third.headers["x-penstock-target"] == "one"


def test_it_is_fetched_listed_and_deleted_where_it_is_kept(home: House) -> None:
    """Each call reaches the vendor with our credential and passes back as it came; none is an exchange."""
    made = home.create()
    name = made.json["id"]
    fetched = home.visit(f"{name}?include[]=reasoning.encrypted_content")
    assert fetched.json == made.json
    assert fetched.headers["x-penstock-target"] == "one"
    assert home.visit(f"{name}/input_items").json["data"][0]["content"][0]["text"] == "Hello"
    assert code(home.visit(f"{name}/cancel", "POST")) == (400, "invalid_value")
    assert home.visit(name, "DELETE").json == {"id": name, "object": "response", "deleted": True}
    asked = home.paths()
    assert asked == [
        "/v1/responses",
        f"/v1/responses/{name}",
        f"/v1/responses/{name}/input_items",
        f"/v1/responses/{name}/cancel",
        f"/v1/responses/{name}",
    ]
    assert code(home.visit(name)) == (404, "unknown_response")
    assert code(home.create(previous_response_id=name)) == (404, "unknown_response")
    assert home.paths() == asked
    settled = [each for each in home.gateway.events() if isinstance(each, ExchangeSettled)]
    assert [each.status for each in settled] == [200, 404]


def test_another_organisations_id_is_one_that_does_not_exist(home: House) -> None:
    """Every call with it gets the words of an id that never was, and the vendor hears of none."""
    name = home.made()
    asked = home.paths()
    for method, part in (("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")):
        theirs = home.visit(name + part, method, "sk-rival")
        never = home.visit("resp_never" + part, method, "sk-rival")
        assert code(theirs) == code(never) == (404, "unknown_response")
        words, other = (each.json["error"]["message"] for each in (theirs, never))
        assert words == other.replace("resp_never", name)
    for path in ("responses", "responses/input_tokens", "responses/compact"):
        body = {"model": "one", "input": "x", "previous_response_id": name}
        told = send(f"{home.gateway.url}/v1/{path}", body, "sk-rival")
        assert code(told) == (404, "unknown_response")
    assert home.paths() == asked
    assert home.visit(name).status == 200


def test_the_same_id_may_belong_to_two(home: House) -> None:
    """Where vendors hand out equal ids, deleting one organisation's leaves the other's record."""
    name = home.made()
    assert home.made(key="sk-rival") == name
    assert home.visit(name, "DELETE", "sk-rival").status == 200
    assert code(home.visit(name, key="sk-rival")) == (404, "unknown_response")
    assert home.create(previous_response_id=name).status != 404


def test_a_chain_is_pinned_to_who_issued_it(home: House) -> None:
    """The route would choose the first target; the id is the second one's, so that it gets the request."""
    name = home.made("two")
    told = home.create("mixed", previous_response_id=name)
    assert (told.status, told.headers["x-penstock-target"]) == (200, "two")
    assert home.create("mixed").headers["x-penstock-target"] == "one"


def test_another_model_of_the_same_provider_may_go_on(home: House) -> None:
    """An id is the provider's, whatever model is named there."""
    name = home.made("one")
    told = home.create("sim/tiny", previous_response_id=name)
    assert (told.status, told.headers["x-penstock-target"]) == (200, "sim/tiny")


def test_a_route_that_does_not_lead_there_says_so(home: House) -> None:
    """A 400 with the name of who keeps it, before anybody is asked."""
    name = home.made("two")
    asked = home.paths()
    told = home.create("foreign", previous_response_id=name)
    assert code(told) == (400, "response_elsewhere")
    assert "kept by two" in told.json["error"]["message"]
    assert (home.paths(), home.canned.asked) == (asked, [])


def test_a_provider_that_is_gone_cannot_be_asked(home: House) -> None:
    """After a reload without it, its ids are still their owner's, and the error names it."""
    name = home.made("two")
    home.gateway.reload(
        "version: 1\nproviders: {sim: {kind: simulator}}\nkeys: [{name: dev, secret: sk-dev, org: acme}]"
    )
    told = home.visit(name)
    assert code(told) == (400, "response_elsewhere")
    assert "'second'" in told.json["error"]["message"]


def test_store_false_is_not_recorded(home: House) -> None:
    """What the client does not want kept cannot be asked for."""
    name = home.made(store=False)
    assert code(home.visit(name)) == (404, "unknown_response")


def test_an_answer_in_the_background_is_known_at_once(home: House) -> None:
    """Its id is on record with the first answer, when nothing has been said yet; streamed as well."""
    queued = home.create(background=True)
    assert queued.json["status"] == "queued"
    assert home.visit(queued.json["id"]).json["status"] == "completed"
    assert home.visit(queued.json["id"] + "/cancel", "POST").json["status"] == "cancelled"
    streamed = home.create(input="Again", background=True, stream=True)
    assert home.visit(last_event(streamed)["response"]["id"]).status == 200


def test_counting_and_compacting_pass(home: House) -> None:
    """Counting is free, compacting is charged; a kept answer may be named in both."""
    name = home.made()
    for path in ("input_tokens", "compact"):
        body = {"model": "mixed", "input": "Hello", "previous_response_id": name}
        told = send(f"{home.gateway.url}/v1/responses/{path}", body, "sk-dev")
        assert told.status == 200, told.body
    counted, compacted = home.gateway.exchanges(3)[1:]
    assert (counted.request.endpoint, counted.attempts[0].cost_nanousd) == ("responses.input_tokens", 0)
    assert compacted.request.endpoint == "responses.compact"
    assert (compacted.attempts[0].cost_nanousd or 0) > 0


@pytest.mark.parametrize(
    ("method", "name", "key", "wanted"),
    [
        ("HEAD", "resp_1", "sk-dev", 405),
        ("PUT", "resp_1", "sk-dev", 405),
        ("POST", "resp_1", "sk-dev", 405),
        ("DELETE", "resp_1/input_items", "sk-dev", 405),
        ("GET", "resp_1/cancel", "sk-dev", 405),
        ("GET", "compact", "sk-dev", 405),
        ("GET", "resp_1/other", "sk-dev", 404),
        ("GET", "resp_1", "wrong", 401),
        ("DELETE", "resp_1", "wrong", 401),
    ],
)
def test_what_is_not_served(home: House, method: str, name: str, key: str, wanted: int) -> None:
    """Other methods and paths, and wrong keys, are refused without asking anybody."""
    assert home.visit(name, method, key).status == wanted
    assert home.paths() == []


def test_visits_count_against_the_keys_rate(home: House) -> None:
    """A third request within the minute is refused, and each has given its place back."""
    assert [home.visit("resp_1", key="sk-busy").status for _ in range(3)] == [404, 404, 429]


def test_a_conversation_is_nobodys(home: House) -> None:
    """Conversations cannot be made here, so that a named one is not the caller's."""
    told = home.create(conversation="conv_1")
    assert code(told) == (404, "unknown_response")
    assert code(home.create(Conversation="conv_1")) == (400, "case_variant_key")
    assert home.paths() == []


def test_a_request_that_names_no_text_is_refused(home: House) -> None:
    """An id is text."""
    told = home.create(previous_response_id=7)
    assert code(told) == (400, "invalid_type")
    assert told.json["error"]["param"] == "previous_response_id"
