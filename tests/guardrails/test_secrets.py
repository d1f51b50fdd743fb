"""Credentials: every row finds what it describes, and examples and placeholders are left alone."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.guardrails.secrets.detector import ALL_ROWS, KINDS, SecretsDetector

DETECTOR = SecretsDetector()
DRAW = random.Random(11)


def drawn(size: int, letters: str = string.ascii_letters + string.digits) -> str:
    """Characters that a machine drew; nobody's credential."""
    return "".join(DRAW.choices(letters, k=size))


def hexes(size: int) -> str:
    """Hexadecimal digits."""
    return drawn(size, "0123456789abcdef")


# Put together here, so that no scanner takes this file for a leak.
FOUND = [
    ("OPENAI_API_KEY", "sk-" + "proj-" + drawn(74) + "T3BlbkFJ" + drawn(74)),
    ("OPENAI_API_KEY", "sk-" + "svcacct-" + drawn(60)),
    ("OPENAI_API_KEY", "sk-" + drawn(20) + "T3BlbkFJ" + drawn(20)),
    ("ANTHROPIC_API_KEY", "sk-ant-" + "api03-" + drawn(93) + "AA"),
    ("GOOGLE_API_KEY", "AIza" + drawn(35)),
    ("HUGGINGFACE_TOKEN", "hf_" + drawn(34)),
    ("GROQ_API_KEY", "gsk_" + drawn(52)),
    ("PENSTOCK_KEY", "sk-penstock-" + drawn(43)),
    ("AWS_ACCESS_KEY_ID", "AKIA" + drawn(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
    ("DIGITALOCEAN_TOKEN", "dop_v1_" + hexes(64)),
    ("DATABRICKS_TOKEN", "dapi" + hexes(32)),
    ("HASHICORP_VAULT_TOKEN", "hvs." + drawn(90)),
    ("GITHUB_TOKEN", "ghp_" + drawn(36)),
    ("GITHUB_TOKEN", "github_pat_" + drawn(22) + "_" + drawn(59)),
    ("GITLAB_TOKEN", "glpat-" + drawn(20)),
    ("NPM_TOKEN", "npm_" + drawn(36)),
    ("PYPI_TOKEN", "pypi-AgE" + drawn(150)),
    ("SLACK_TOKEN", "xoxb-" + drawn(12, "123456789") + "-" + drawn(12, "123456789") + "-" + drawn(24)),
    ("STRIPE_KEY", "sk_live_" + drawn(24)),
    ("TWILIO_KEY", "SK" + hexes(32)),
    ("SENDGRID_KEY", "SG." + drawn(22) + "." + drawn(43)),
    ("SHOPIFY_TOKEN", "shpat_" + hexes(32)),
    ("TELEGRAM_BOT_TOKEN", drawn(10, "123456789") + ":AA" + drawn(33)),
    ("DISCORD_TOKEN", "M" + drawn(25) + "." + drawn(6) + "." + drawn(38)),
    ("JWT", "eyJ" + drawn(30) + ".eyJ" + drawn(60) + "." + drawn(43)),
]
WRITTEN = ["{}", "key={}", 'token: "{}"', "use `{}` here", "Bearer {}\n", "My key is {}, keep it."]


@pytest.mark.parametrize(("kind", "secret"), FOUND)
@pytest.mark.parametrize("written", WRITTEN)
def test_a_credential_is_found_in_full(kind: str, secret: str, written: str) -> None:
    """However it stands in a text, the span holds all of it."""
    text = written.format(secret)
    spans = [(each.kind, text[each.start : each.end]) for each in DETECTOR.look(text, "user")]
    assert (kind, secret) in spans


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AWS_SECRET_ACCESS_KEY", f"aws_secret_access_key = {drawn(40)}"),
        ("AZURE_STORAGE_KEY", f"AccountName=a;AccountKey={drawn(86)}==;EndpointSuffix=core.windows.net"),
        ("CONNECTION_STRING", "postgresql://app:s3cr3t-Pw9@db.internal:5432/app"),
        ("CONNECTION_STRING", "Server=db1;Database=x;User Id=sa;Password=Pa55w0rt!;"),
        ("AUTHORIZATION_HEADER", f"curl -H 'Authorization: Bearer {drawn(40)}'"),
        ("ASSIGNED_SECRET", f"client_secret: {drawn(32)}"),
        ("ASSIGNED_SECRET", f'"apiKey": "{hexes(32)}"'),
        ("PASSWORD", "my password is Tr0ub4dor&3"),
        ("PRIVATE_KEY", f"-----BEGIN RSA PRIVATE KEY-----\n{drawn(64)}\n-----END RSA PRIVATE KEY-----"),
    ],
)
def test_a_name_beside_it_says_what_it_is(kind: str, text: str) -> None:
    """Secrets without a form of their own are found by what is written before them."""
    assert kind in [each.kind for each in DETECTOR.look(text, "user")]


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "api_key = os.environ['OPENAI_API_KEY']",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "password: <your password here>",
        "postgres://user:password@localhost/db".replace("password", "${DB_PASSWORD}"),
        "The secret is to keep stirring until it thickens",
        "the token is invalid; please sign in again",
        "ghp_" + "x" * 36,
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "id 123e4567-e89b-12d3-a456-426614174000",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "risk-free returns, task-oriented, desk-service",
        "access_token = get_token(request)",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq\n-----END PUBLIC KEY-----",
    ],
)
def test_what_only_stands_for_a_secret_is_left(text: str) -> None:
    """Placeholders, references, hashes and words are nobody's secret."""
    assert DETECTOR.look(text, "user") == []


def test_a_private_key_is_found_to_its_last_line() -> None:
    """Redaction must take the whole key, not only its first line."""
    key = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{drawn(70)}\n{drawn(70)}\n-----END OPENSSH PRIVATE KEY-----"
    (found,) = DETECTOR.look(f"here:\n{key}\nthanks", "user")
    assert (found.start, found.end) == (6, 6 + len(key))


def test_each_row_names_its_source_and_its_kind_once() -> None:
    """A format is looked up, never guessed."""
    assert [each.kind for each in ALL_ROWS if not each.source] == []
    assert {"OPENAI_API_KEY", "PASSWORD", "JWT"} <= KINDS
    with pytest.raises(ValueError, match="NOBODYS_KEY"):
        SecretsDetector(["NOBODYS_KEY"])


@given(st.text(alphabet=st.sampled_from("sk-ant_pijA0x=:\"' \n.eyJ{}$/@"), max_size=300))
def test_findings_keep_the_contract(text: str) -> None:
    """Spans lie in the text, in order, without overlap, and the same each time."""
    found = DETECTOR.look(text, "user")
    assert found == DETECTOR.look(text, "user")
    at = 0
    for each in found:
        assert at <= each.start < each.end <= len(text)
        at = each.end


def test_hostile_texts_end() -> None:
    """Patterns run in time linear in the text."""
    for piece in ("sk-", "eyJ.", "password=", "http://a:", "server=;", "authorization: ", "AccountKey="):
        DETECTOR.look(piece * 5_000, "user")
