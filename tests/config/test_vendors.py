"""The registry of vendors and the configuration's list of kinds say the same."""

from typing import get_args

import pytest

from penstock.config.document import Provider, ProviderKind
from penstock.config.load import ConfigError, load_text
from penstock.providers.profiles import profiles_of
from penstock.providers.vendors import VENDORS


def test_the_schema_lists_every_vendor() -> None:
    """A row that is added to the registry is a kind that the configuration takes, and the other way round."""
    assert sorted(get_args(ProviderKind)) == sorted(VENDORS)


def test_an_address_is_filled_in_from_the_configuration() -> None:
    """Region, project and account complete a vendor's address; without them there is none."""
    vertex = Provider(kind="vertex", region="europe-west4", project="p1")
    assert vertex.url == (
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p1/locations/europe-west4/publishers/google"
    )
    assert Provider(kind="vertex", project="p1").url is None
    assert Provider(kind="vertex-anthropic", region="global", project="p1").url == (
        "https://aiplatform.googleapis.com/v1/projects/p1/locations/global/publishers/anthropic"
    )
    assert Provider(kind="azure-deployments", account="acme").url == (
        "https://acme.openai.azure.com/openai/deployments/{model}"
    )
    assert Provider(kind="anthropic", base_url="http://127.0.0.1:9/v1").url == "http://127.0.0.1:9/v1"


def test_rows_are_complete() -> None:
    """Each row names its source, and a vendor in the cloud its address and its key's variable or signature."""
    for row in VENDORS.values():
        assert row.source, row.kind
        if row.base_url.startswith("https://"):
            assert row.variable or row.auth in {"aws", "google"}, row.kind


def test_a_variable_alone_makes_one_provider_at_most() -> None:
    """Two rows of one variable would share a key, and a key for other things makes no provider at all."""
    found = [row.variable for row in VENDORS.values() if row.found_by_key]
    assert len(found) == len(set(found))
    assert not {"GITHUB_TOKEN", "HF_TOKEN", "SCW_SECRET_KEY"} & set(found)


def test_evidence_names_what_was_seen() -> None:
    """A row that was recorded or run says which features were; one from documents alone says none."""
    for row in VENDORS.values():
        assert bool(row.seen) == (row.evidence in ("recorded", "run")), row.kind


def test_profiles_and_rows_agree() -> None:
    """The name of the output bound and whether usage may be asked for are facts of the row, stated once."""
    for row in VENDORS.values():
        if row.api == "openai.chat" and row.kind != "openai":
            _, profile = profiles_of(row)
            assert (profile.cap_field, profile.stream_usage) == (row.cap_field, row.stream_usage), row.kind


def test_media_that_a_row_names_pass() -> None:
    """A row that names endpoints of OpenAI's that only pass says that the vendor takes them."""
    for row in VENDORS.values():
        if row.api == "openai.chat":
            assert not row.media or "openai" in row.speaks, row.kind


def test_a_part_of_an_address_that_has_no_such_part_is_refused() -> None:
    """A region that would change nothing is not accepted in silence."""
    with pytest.raises(ConfigError) as caught:
        load_text("version: 1\nproviders:\n  a: {kind: anthropic, api_key: k, region: eu-west-1}\n", {})
    assert "providers.a.region" in str(caught.value)
    assert "has no effect" in str(caught.value)
