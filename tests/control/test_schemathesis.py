"""Schemathesis asks everything that the OpenAPI document allows, and what it does not."""

from __future__ import annotations

import subprocess

import pytest

from tests.clients.needed import needed
from tests.control.house import OPERATOR, House
from tests.control.serving import Served

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "ignored_auth"
)


def asked(house: House, phases: str, examples: int, timeout_s: float) -> None:
    """Run it against a house, and see that control is whole afterwards."""
    program = needed("py-schemathesis") / "bin" / "schemathesis"
    with Served(house) as served:
        done = subprocess.run(
            [
                program, "run", f"{served.url}/admin/api/schema", "--phases", phases,
                "--max-examples", str(examples), "--checks", CHECKS,
                "--header", f"Authorization: Bearer {OPERATOR}", "--seed", "1",
                "--suppress-health-check", "all", "--warnings", "off", "--no-color", "--continue-on-failure",
            ],
            cwd=house.state.root, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert house.audit.verify(house.store).valid
    assert set(house.published.routes) >= {"echo"}


def test_nothing_that_the_document_allows_breaks_the_api(house: House) -> None:
    """No 5xx, no status, type or shape that the document does not name, and no door without a credential."""
    asked(house, "fuzzing", 3, 110)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_examples_and_what_is_not_allowed_break_nothing(house: House) -> None:
    """The same with boundary values, wrong types and many more examples."""
    asked(house, "coverage,fuzzing", 40, 1700)
