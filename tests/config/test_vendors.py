"""The registry of vendors and the configuration's list of kinds say the same."""

from typing import get_args

import pytest

from penstock.config.document import Provider, ProviderKind
from penstock.config.load import ConfigError, load_text
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


def test_a_part_of_an_address_that_has_no_such_part_is_refused() -> None:
    """A region that would change nothing is not accepted in silence."""
    with pytest.raises(ConfigError) as caught:
        load_text("version: 1\nproviders:\n  a: {kind: anthropic, api_key: k, region: eu-west-1}\n", {})
    assert "providers.a.region" in str(caught.value)
    assert "has no effect" in str(caught.value)
