"""A provider counts when chat, stream, tools, errors, usage and a wrong key each have a test."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from penstock.providers.vendors import VENDORS
from tests.providers import test_chat

CHATS = {row.kind for row in VENDORS.values() if row.api and row.kind != "simulator"}


@pytest.mark.parametrize("feature", ["chat", "stream", "tools", "errors", "usage", "a_wrong_key"])
def test_every_provider_of_chat_has_the_test(feature: str) -> None:
    """Each feature's test runs for each kind in the registry, and none of them is skipped."""
    marks = cast("list[pytest.Mark]", getattr(test_chat, f"test_{feature}").pytestmark)
    kinds: set[Any] = set()
    for mark in marks:
        assert mark.name == "parametrize"
        if mark.args[0] == "row":
            kinds = set(mark.kwargs["ids"])
    assert kinds == CHATS


def test_what_a_row_claims_has_a_page() -> None:
    """Evidence of every kind names a page, features have been seen only where something was recorded or run."""
    for row in VENDORS.values():
        if row.kind == "simulator":
            continue
        page = urlsplit(row.source)
        assert page.scheme == "https", row.kind
        assert page.hostname, row.kind
        assert page.path or page.query, f"{row.kind}: a vendor's front page shows nothing"
        assert bool(row.seen) == (row.evidence in ("recorded", "run")) or row.evidence == "run", row.kind
