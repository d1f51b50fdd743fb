"""Vault's documented HTTP API, as our client speaks it with a fake of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.adapters.secrets.transit import TransitMaster, transit_from
from penstock.adapters.secrets.vault import VaultClient, VaultPlace
from penstock.config.document import Secret, SecretError
from penstock.config.load import ConfigError, load_text
from penstock.config.snapshot import with_fetched
from penstock.ports.kms import KmsError
from penstock.ports.secrets import FetchError
from tests.secrets.vault import FakeVault
from tests.transport.certificates import Authority

PLACE = "secret/data/openai#api_key"


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def vault() -> Iterator[FakeVault]:
    """A Vault with one secret."""
    with FakeVault() as running:
        running.kv["secret/data/openai"] = {"api_key": "sk-in-vault", "number": 5}
        yield running


def test_a_token_reads_a_field(vault: FakeVault) -> None:
    """The value comes back with its lease, and neither stands in a repr."""
    vault.lease_s = 90
    place = VaultPlace(vault.url, token=vault.token())
    fetched = VaultClient(place, Time()).fetch(PLACE)
    assert fetched == ("sk-in-vault", 90.0)
    assert "sk-in-vault" not in repr(fetched)
    assert place.token not in repr(place)


def test_an_app_role_logs_in_once_and_renews(vault: FakeVault) -> None:
    """One login serves many reads; when two thirds of its time are over the token is renewed, not replaced."""
    vault.roles["role"] = "id"
    time = Time()
    client = VaultClient(VaultPlace(vault.url, role_id="role", secret_id="id"), time)
    client.fetch(PLACE)
    client.fetch(PLACE)
    time.now += 801
    client.fetch(PLACE)
    client.fetch(PLACE)
    told = [each for each in vault.asked if "auth/" in each]
    assert told == ["POST /v1/auth/approle/login", "POST /v1/auth/token/renew-self"]


def test_a_token_that_cannot_be_renewed_is_replaced(vault: FakeVault) -> None:
    """The AppRole logs in again, in time and when Vault has forgotten the token."""
    vault.roles["role"] = "id"
    vault.renewable = False
    time = Time()
    client = VaultClient(VaultPlace(vault.url, role_id="role", secret_id="id"), time)
    client.fetch(PLACE)
    time.now += 801
    client.fetch(PLACE)
    vault.tokens.clear()
    assert client.fetch(PLACE).value == "sk-in-vault"
    assert vault.asked.count("POST /v1/auth/approle/login") == 3


def test_a_token_with_an_end_is_renewed(vault: FakeVault) -> None:
    """A token of the configuration is looked up once and renewed before its end."""
    time = Time()
    client = VaultClient(VaultPlace(vault.url, token=vault.token(ttl=300, renewable=True)), time)
    client.fetch(PLACE)
    time.now += 201
    client.fetch(PLACE)
    assert [each for each in vault.asked if "auth/" in each] == [
        "GET /v1/auth/token/lookup-self",
        "POST /v1/auth/token/renew-self",
    ]


def test_namespaces_and_private_authorities(tmp_path: Path) -> None:
    """The namespace travels in its header, and TLS is checked against `ca_file`."""
    authority = Authority()
    with FakeVault(namespace="team/a", tls=authority.server("localhost")) as vault:
        vault.kv["secret/data/openai"] = {"api_key": "v"}
        place = VaultPlace(vault.url, namespace="team/a", token=vault.token(), ca_file=authority.file(tmp_path))
        assert VaultClient(place, Time()).fetch(PLACE).value == "v"
        with pytest.raises(FetchError, match="404"):
            VaultClient(VaultPlace(vault.url, token=place.token, ca_file=place.ca_file), Time()).fetch(PLACE)
        with pytest.raises(FetchError, match=r"does not answer: .*certificate") as caught:
            VaultClient(VaultPlace(vault.url, namespace="team/a", token=place.token), Time()).fetch(PLACE)
        assert caught.value.away


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("secret/data/none#x", "secret/data/none: 404: there is nothing at this path"),
        ("secret/data/openai#other", "no text in field 'other'; the secret has api_key, number"),
        ("secret/data/openai#number", "no text in field 'number'"),
    ],
)
def test_what_is_not_there_is_said(vault: FakeVault, place: str, said: str) -> None:
    """A wrong path or field is a sentence that helps to find the right one, without a value."""
    with pytest.raises(FetchError) as caught:
        VaultClient(VaultPlace(vault.url, token=vault.token()), Time()).fetch(place)
    assert said in str(caught.value)
    assert "sk-in-vault" not in str(caught.value)
    assert not caught.value.away


def test_refusals_and_silence_are_said(vault: FakeVault) -> None:
    """A wrong token, a wrong role, a sealed Vault, nonsense, no credential and nobody at all."""
    token = vault.token("hvs.very-secret")
    cases = [
        (VaultPlace(vault.url, token="hvs.wrong-secret"), "403: permission denied; does the token's policy"),
        (VaultPlace(vault.url, role_id="r", secret_id="hvs.wrong-secret"), "auth/approle/login: 400"),
        (VaultPlace(vault.url), "no credential; set vault.token, vault.role_id or VAULT_TOKEN"),
        (VaultPlace("http://127.0.0.1:9", token=token), "http://127.0.0.1:9 does not answer"),
    ]
    for place, said in cases:
        with pytest.raises(FetchError) as caught:
            VaultClient(place, Time()).fetch(PLACE)
        assert said in str(caught.value)
        assert "secret-" not in str(caught.value).replace("very-secret", "secret-")
    vault.wrong = b"<html>"
    with pytest.raises(FetchError, match="no secret of a KV engine, version 2"):
        VaultClient(VaultPlace(vault.url, token=token), Time()).fetch(PLACE)
    vault.wrong, vault.sealed = b"", True
    with pytest.raises(FetchError, match="503: it is sealed") as caught:
        VaultClient(VaultPlace(vault.url, token=token), Time()).fetch(PLACE)
    assert caught.value.away


def test_references_are_read_checked_and_resolved() -> None:
    """`${vault:…}` may stand within a text; a path that is none is refused where it is written."""
    reference = f"${{vault:{PLACE}}}"
    document = load_text(
        f'providers: {{a: {{kind: openai, api_key: "{reference}", headers: {{x-a: "B {reference}"}}}}}}', {}
    )
    secret = document.providers["a"].headers["x-a"]
    assert secret.vault_places == {PLACE}
    assert secret.resolve(with_fetched({}, {PLACE: "v"})) == "B v"
    assert repr(document.providers["a"].api_key) == f"Secret(${{vault:{PLACE}}})"
    with pytest.raises(SecretError, match="has not been fetched"):
        Secret.template(f"${{vault:{PLACE}}}").resolve({})
    for wrong in ("${vault:secret/openai#x}", "${vault:secret/data/openai}", "${vault:}"):
        with pytest.raises(ConfigError, match=r"MOUNT/data/PATH#FIELD|malformed"):
            load_text(f'providers: {{a: {{kind: openai, api_key: "{wrong}"}}}}', {})
    with pytest.raises(ConfigError, match="works only for secrets"):
        load_text(f'server: {{ca_file: "${{vault:{PLACE}}}"}}', {})


def test_transit_wraps_data_keys(vault: FakeVault) -> None:
    """What Transit wrapped it unwraps, under the same name alone; the master key is never seen here."""
    env = {"VAULT_ADDR": vault.url, "VAULT_TOKEN": vault.token()}
    master = transit_from("transit/penstock", env)
    wrapped = master.wrap(bytes(32), "k1")
    assert master.unwrap(wrapped, "k1") == bytes(32)
    assert master.id == "vault:transit/penstock"
    with pytest.raises(KmsError, match="another's name"):
        master.unwrap(wrapped, "k2")
    with pytest.raises(KmsError, match="400"):
        TransitMaster(VaultClient(VaultPlace(vault.url, token=env["VAULT_TOKEN"]), Time()), "transit/o").unwrap(
            wrapped, "k1"
        )
    with pytest.raises(KmsError, match="VAULT_ADDR is not set"):
        transit_from("transit/penstock", {})
