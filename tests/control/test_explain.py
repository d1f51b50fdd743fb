"""The admin API's explanation of a route: a running gateway's where there is one, else the configuration's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.house import House

CONFIG = """\
version: 1
providers: {sim: {kind: simulator}}
deployments:
  cheap: {provider: sim, model: echo, price: {input: 0.1, output: 0.4}}
  strong: {provider: sim, model: echo, price: {input: 3, output: 15}}
routes: {r: {policy: {when: [{if: {key.tags.tier: gold}, use: strong}], else: {cheapest: [strong, cheap]}}}}
orgs: {acme: {teams: {red: {}}}, beta: {}}
keys:
  - {name: gold, secret: sk-gold, org: acme, tags: {tier: gold}}
  - {name: plain, secret: sk-plain, org: beta}
"""
BODY = {"messages": [{"role": "user", "content": "Hi"}]}
PATH = "/admin/api/routes/r/explain"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A control plane without a gateway."""
    made = House(tmp_path, CONFIG)
    yield made
    made.close()


def test_the_configuration_answers_where_no_gateway_runs(house: House) -> None:
    """The plan goes by the key that is named, and the answer says that it is not live."""
    client = house.client()
    told = client.post(PATH, json={"body": BODY, "key": "gold"}).json()
    assert (told["plan"], told["live"]) == (["strong"], False)
    told = client.post(PATH, json={"body": BODY, "key": "plain"}).json()
    assert told["plan"] == ["cheap", "strong"]


@pytest.mark.parametrize(
    ("question", "status", "words"),
    [
        ({"body": BODY, "key": "nobody"}, 404, "there is no key"),
        ({"body": BODY, "draw": "high"}, 400, "cannot be read"),
        ({"body": BODY, "colour": "red"}, 400, "colour"),
        ({"body": {"messages": 5, "stream": "yes"}}, 400, "stream"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    house: House, question: dict[str, object], status: int, words: str
) -> None:
    """A key that the asker cannot see does not exist; a question or a request that cannot be read says why."""
    told = house.client().post(PATH, json=question)
    assert told.status_code == status
    assert words in told.json()["detail"]


def test_keys_of_other_organisations_are_not_asked_about(house: House) -> None:
    """Who sees one organisation's keys learns nothing of another's tags."""
    secret = house.member("acme", "reader", "admin", None)
    client = house.client(secret)
    route = client.get("/admin/api/routes/r")
    told = client.post(PATH, json={"body": BODY, "key": "plain"})
    assert told.status_code == 404
    if route.status_code == 200:
        assert client.post(PATH, json={"body": BODY, "key": "gold"}).json()["plan"] == ["strong"]
