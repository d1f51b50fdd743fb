"""What `penstock serve` says to somebody whose address does not work."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.serve import serve


@pytest.mark.parametrize("address", ["4000", "localhost", "127.0.0.1:99999", "127.0.0.1:http"])
def test_an_address_has_a_host_and_a_port(tmp_path: Path, address: str) -> None:
    """It is refused before anything is written, with an example."""
    result = CliRunner().invoke(serve, ["--listen", address, "--state-dir", str(tmp_path / "state")])
    assert result.exit_code == 2
    assert "write host:port, such as 127.0.0.1:4000" in result.output
    assert not (tmp_path / "state").exists()


def test_a_port_that_is_taken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says which address it is, and how to choose another."""
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        result = CliRunner().invoke(serve, ["--listen", place])
    assert result.exit_code == 1
    assert f"cannot listen on {place}: Address already in use" in result.output
    assert "--listen" in result.output
    # The key of a first start is shown once; one that nobody saw would lock its owner out.
    assert not (tmp_path / ".penstock" / "admin_key.json").exists()
