"""Which proxy leads to an origin."""

from __future__ import annotations

import pytest

from penstock.compile.proxies import proxy_for

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("env", "scheme", "host", "expected"),
    [
        ({}, "https", "api.example.com", ""),
        ({"HTTPS_PROXY": PROXY}, "https", "api.example.com", PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, "https", "api.example.com", PROXY),
        ({"HTTPS_PROXY": PROXY}, "http", "api.example.com", ""),
        ({"HTTP_PROXY": PROXY}, "http", "api.example.com", PROXY),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http", "api.example.com", ""),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "other.org, example.com"}, "https", "api.example.com", ""),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": ".example.com"}, "https", "example.com", ""),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "ample.com"}, "https", "api.example.com", PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, "https", "api.example.com", ""),
        ({"HTTPS_PROXY": PROXY, "HTTP_PROXY": PROXY}, "http", "127.0.0.1", ""),
        ({"HTTP_PROXY": PROXY}, "http", "localhost", ""),
        ({"HTTP_PROXY": PROXY}, "http", "::1", ""),
    ],
)
def test_the_usual_variables(env: dict[str, str], scheme: str, host: str, expected: str) -> None:
    """The variables of the scheme count, exclusions match whole labels, and loopback is never proxied."""
    assert proxy_for(env, scheme, host) == expected
