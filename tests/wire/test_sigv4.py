"""Signatures against values that AWS publishes, and values computed once with botocore's SigV4Auth."""

from __future__ import annotations

import datetime as dt

from penstock.core.credentials import AwsCredentials
from penstock.wire.sigv4 import EMPTY_HASH, AwsScope, body_hash, model_path, sign

_KEYS = AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
_WHEN = dt.datetime(2026, 3, 5, 7, 8, 9, tzinfo=dt.UTC)
_ARN = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/1arbu5hu2sjr"


def _signature(headers: list[tuple[str, str]]) -> str:
    return dict(headers)["authorization"].rpartition("Signature=")[2]


def test_the_request_of_aws_documentation() -> None:
    """IAM's example of signing (ListUsers), whose signature AWS publishes."""
    added = sign(
        "GET",
        "/",
        [("Action", "ListUsers"), ("Version", "2010-05-08")],
        [
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("Host", "iam.amazonaws.com"),
        ],
        EMPTY_HASH,
        AwsScope("us-east-1", "iam"),
        _KEYS,
        dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.UTC),
    )
    assert added == [
        ("x-amz-date", "20150830T123600Z"),
        (
            "authorization",
            (
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                "SignedHeaders=content-type;host;x-amz-date, "
                "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
            ),
        ),
    ]


def test_the_vanilla_request_of_aws_test_suite() -> None:
    """`get-vanilla` of the suite that AWS publishes."""
    when = dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.UTC)
    headers = [("Host", "example.amazonaws.com")]
    added = sign("GET", "/", [], headers, EMPTY_HASH, AwsScope("us-east-1", "service"), _KEYS, when)
    assert _signature(added) == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


def test_a_model_id_with_a_colon_is_signed_with_its_path_encoded_twice() -> None:
    """The path is sent with %3A and signed with %253A; the value is botocore's."""
    path = model_path("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "converse")
    assert path == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    headers = [("Content-Type", "application/json"), ("host", "h.example.com")]
    added = sign(
        "POST", path, [], headers, body_hash(b'{"messages":[]}'), AwsScope("us-east-1", "bedrock"), _KEYS, _WHEN
    )
    assert _signature(added) == "dc0b89288de191e9bbe6afdc6e657fcdf42888bffaa8a0bc796b7eb13d71d5f3"


def test_a_session_token_is_sent_and_signed() -> None:
    """Temporary credentials add a header that the signature covers; the value is botocore's."""
    added = sign(
        "POST",
        "/model/amazon.nova-lite-v1:0/converse-stream",
        [],
        [("host", "h.example.com")],
        body_hash(b"{}"),
        AwsScope("eu-central-1", "bedrock"),
        AwsCredentials(_KEYS.access_key, _KEYS.secret_key, "SESSION//TOKEN=="),
        _WHEN,
    )
    assert dict(added)["x-amz-security-token"] == "SESSION//TOKEN=="
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token" in dict(added)["authorization"]
    assert _signature(added) == "1565cac46b9e190d6802ebea0b7bd720281641e767b70a99d27b3a528e94cebc"


def test_an_arn_is_one_segment_of_the_path() -> None:
    """Its colons and slash are encoded; the value is botocore's."""
    path = model_path(_ARN, "converse")
    assert path.count("/") == 3
    headers = [("host", "h.example.com")]
    scope = AwsScope("us-gov-west-1", "bedrock")
    added = sign("POST", path, [], headers, body_hash(b"{}"), scope, _KEYS, _WHEN)
    assert _signature(added) == "470f29b872636b1984340ad8e61ed2df129cd7d4eae79223a1c3eeabe7fe6ec4"


def test_what_changes_on_the_way_is_not_signed() -> None:
    """Hop-by-hop fields and the client's name may change; spaces in values and the zone do not matter."""
    scope = AwsScope("us-east-1", "bedrock")
    plain = sign("POST", "/x", [], [("host", "h"), ("a", "b c")], EMPTY_HASH, scope, _KEYS, _WHEN)
    more = [("connection", "close"), ("A", "  b   c "), ("User-Agent", "x"), ("Host", "h")]
    moved = _WHEN.astimezone(dt.timezone(dt.timedelta(hours=5)))
    assert sign("POST", "/x", [], more, EMPTY_HASH, scope, _KEYS, moved) == plain


def test_secrets_do_not_show() -> None:
    """A log line with credentials in it has neither the key nor the token."""
    shown = repr(AwsCredentials("AKID", "hush", "token"))
    assert "AKID" in shown
    assert "hush" not in shown
    assert "token=" not in shown.replace("session_token", "")
