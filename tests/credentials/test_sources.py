"""The vendors' own libraries, really used, against endpoints on this machine."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from penstock.adapters.credentials.asking import ask
from penstock.adapters.credentials.aws import fetch_aws
from penstock.adapters.credentials.entra import fetch_entra
from penstock.adapters.credentials.google import fetch_google
from penstock.adapters.credentials.library import NoCredentialError
from penstock.config.document import AwsAccess, EntraAccess, GoogleAccess, Secret
from penstock.core.credentials import AwsCredentials
from tests.credentials.endpoints import Endpoint
from tests.credentials.google import TokenEndpoint

EXPIRY = dt.datetime(2099, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
EXPIRES_MS = int(EXPIRY.timestamp() * 1000)
TEMPORARY = AwsCredentials("ASIATEST", "its-secret", "its-token", EXPIRES_MS)
STS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIATEST</AccessKeyId><SecretAccessKey>its-secret</SecretAccessKey>
<SessionToken>its-token</SessionToken><Expiration>2099-01-02T03:04:05Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""


def resolve(secret: Secret) -> str:
    """A secret without environment."""
    return secret.resolve({}, lines=True)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without any AWS or Google set-up."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


def test_a_profile_gives_temporary_credentials_with_their_end(tmp_path: Path) -> None:
    """Botocore reads the profile, runs its credential process, and we learn when they expire."""
    given = {
        "Version": 1,
        "AccessKeyId": "ASIATEST",
        "SecretAccessKey": "its-secret",
        "SessionToken": "its-token",
        "Expiration": EXPIRY.isoformat(),
    }
    (tmp_path / "given.json").write_text(json.dumps(given))
    command = f"{sys.executable} -c 'print(open(\\\"{tmp_path}/given.json\\\").read())'".replace("\\", "")
    (tmp_path / "aws-config").write_text(f"[profile team]\ncredential_process = {command}\n")
    assert fetch_aws(AwsAccess(profile="team"), "eu-west-1", resolve) == TEMPORARY


def test_lasting_keys_of_a_file_have_no_end(tmp_path: Path) -> None:
    """They are read anew every few minutes, in case that somebody changes them."""
    (tmp_path / "aws-credentials").write_text(
        "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = file-secret\n"
    )
    assert fetch_aws(AwsAccess(), "eu-west-1", resolve) == AwsCredentials("AKIDFILE", "file-secret")


def test_a_role_is_assumed_with_the_keys_that_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """STS is asked for the role with its external id, signed with the configured key."""
    with Endpoint(lambda _method, _path, _body: (200, "text/xml", STS)) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        access = AwsAccess(
            access_key_id=Secret.literal("AKIDBASE"),
            secret_access_key=Secret.literal("base-secret"),
            role_arn="arn:aws:iam::000000000000:role/penstock",
            external_id=Secret.literal("e-1"),
        )
        assert fetch_aws(access, "eu-west-1", resolve) == TEMPORARY
    form = parse_qs(sts.asked[0][2])
    assert form["RoleArn"] == ["arn:aws:iam::000000000000:role/penstock"]
    assert form["ExternalId"] == ["e-1"]
    assert "base-secret" not in repr(sts.asked)


def test_a_machines_own_role_is_found_at_its_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """IMDSv2: a token, the role's name, its credentials."""
    role = {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "AccessKeyId": "ASIATEST",
        "SecretAccessKey": "its-secret",
        "Token": "its-token",
        "LastUpdated": "2026-01-01T00:00:00Z",
        "Expiration": "2099-01-02T03:04:05Z",
    }

    def answer(method: str, path: str, _body: str) -> tuple[int, str, str]:
        if method == "PUT":
            return 200, "text/plain", "imds-token"
        if path.endswith("/security-credentials/"):
            return 200, "text/plain", "role-1"
        return 200, "application/json", json.dumps(role)

    with Endpoint(answer) as metadata:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url)
        assert fetch_aws(AwsAccess(), "eu-west-1", resolve) == TEMPORARY
    assert metadata.asked[0][0] == "PUT"


def test_no_aws_credentials_anywhere_is_said() -> None:
    """The sentence is ours, so that a client may read it."""
    with pytest.raises(NoCredentialError, match="no AWS credentials"):
        fetch_aws(AwsAccess(), "eu-west-1", resolve)


def test_a_service_account_is_exchanged_for_a_token() -> None:
    """google-auth signs an assertion that the endpoint verifies, and the token comes with its end."""
    with TokenEndpoint(lasts_s=1800) as endpoint:
        access = GoogleAccess(credentials=Secret.literal(endpoint.account()))
        token = fetch_google(access, resolve)
    assert token.value == endpoint.given[0]
    assert 1700 < token.expires_ms / 1000 - time.time_ns() / 1e9 < 1810


def test_a_service_account_of_the_environment_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """GOOGLE_APPLICATION_CREDENTIALS, as for every tool of Google."""
    with TokenEndpoint() as endpoint:
        (tmp_path / "account.json").write_text(endpoint.account())
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
        assert fetch_google(GoogleAccess(), resolve).value == endpoint.given[0]


def test_a_key_that_the_endpoint_does_not_know_gives_no_token() -> None:
    """google-auth raises, and its words hold neither the key nor the assertion."""
    with TokenEndpoint() as endpoint:
        account = endpoint.account(wrong=True)
        with pytest.raises(Exception, match="invalid_grant") as caught:
            fetch_google(GoogleAccess(credentials=Secret.literal(account)), resolve)
    assert "PRIVATE KEY" not in repr(caught.value)


@pytest.mark.parametrize("text", ["not json", "[1]", "{}"])
def test_what_is_no_google_credential_is_said(text: str) -> None:
    """Without showing it."""
    with pytest.raises(NoCredentialError, match="is not the JSON of a Google credential"):
        fetch_google(GoogleAccess(credentials=Secret.literal(text)), resolve)


def test_an_application_of_entra_gets_a_token() -> None:
    """The client credentials grant, its secret in the form and nowhere else."""
    answer = json.dumps({"access_token": "entra-token", "expires_in": 3599, "token_type": "Bearer"})
    with Endpoint(lambda _method, _path, _body: (200, "application/json", answer)) as authority:
        access = EntraAccess(
            tenant_id="t-1", client_id="c-1", client_secret=Secret.literal("hush&"), authority=authority.url
        )
        token = fetch_entra(access, resolve, lambda: 1_000)
    assert (token.value, token.expires_ms) == ("entra-token", 3_600_000)
    method, path, body = authority.asked[0]
    assert (method, path) == ("POST", "/t-1/oauth2/v2.0/token")
    assert parse_qs(body) == {
        "grant_type": ["client_credentials"],
        "client_id": ["c-1"],
        "client_secret": ["hush&"],
        "scope": ["https://cognitiveservices.azure.com/.default"],
    }


def test_a_refusal_of_entra_is_told_by_its_word() -> None:
    """Its description names tenants and times, and stays away."""
    answer = json.dumps({"error": "invalid_client", "error_description": "AADSTS7000215: for app c-1"})
    with Endpoint(lambda _method, _path, _body: (401, "application/json", answer)) as authority:
        access = EntraAccess(
            tenant_id="t", client_id="c", client_secret=Secret.literal("s"), authority=authority.url
        )
        with pytest.raises(NoCredentialError) as caught:
            fetch_entra(access, resolve, lambda: 0)
    assert str(caught.value) == "Entra ID answered 401 invalid_client"


def test_a_token_endpoint_sends_nobody_elsewhere() -> None:
    """A redirect is an answer, not an order; only HTTP is spoken."""
    with Endpoint(lambda _method, _path, _body: (302, "text/plain", "")) as endpoint:
        assert ask(f"{endpoint.url}/token", method="POST", body=b"secret").status == 302
    with pytest.raises(OSError, match="http or https"):
        ask("file:///etc/passwd")


@pytest.mark.parametrize(
    ("module", "call", "extra"),
    [
        ("botocore", "aws import fetch_aws as f; f(AwsAccess(), 'r', str)", "aws"),
        ("google", "google import fetch_google as f; f(GoogleAccess(), str)", "google"),
    ],
)
def test_a_missing_library_names_the_extra(module: str, call: str, extra: str) -> None:
    """In an interpreter that cannot import it the error says what to install."""
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from penstock.config.document import AwsAccess, GoogleAccess\n"
        f"from penstock.adapters.credentials.{call}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert f"pip install 'penstock[{extra}]'" in done.stderr.splitlines()[-1]
