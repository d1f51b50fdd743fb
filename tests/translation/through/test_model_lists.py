"""The list of models, asked for by each SDK and gathered from vendors of each API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.translation.listing import ListingUpstream

_CONFIG = """
version: 1
providers:
  a: {{kind: anthropic, base_url: "{url}/a/v1", api_key: k1}}
  g: {{kind: google, base_url: "{url}/g/v1beta", api_key: k2}}
  c: {{kind: cohere, base_url: "{url}/c/v2", api_key: k3}}
  o: {{kind: ollama, base_url: "{url}/o/api"}}
  v: {{kind: vllm, base_url: "{url}/v/v1"}}
  b: {{kind: bedrock, base_url: "{url}/b", api_key: k4}}
keys:
  - {{name: dev, secret: sk-test, org: acme, direct: true}}
"""
_LISTS = {
    "/a/v1/models?limit=1000": {"data": [{"type": "model", "id": "claude-x"}], "has_more": False},
    "/g/v1beta/models?pageSize=1000": {"models": [{"name": "models/gemini-x", "displayName": "G"}]},
    "/c/v1/models?page_size=1000": {"models": [{"name": "command-x", "endpoints": ["chat"]}]},
    "/o/api/tags": {"models": [{"name": "llama:8b", "size": 1}]},
    "/v/v1/models": {"object": "list", "data": [{"id": "qwen", "object": "model"}]},
}
_NAMES = ["a/claude-x", "g/gemini-x", "c/command-x", "o/llama:8b", "v/qwen"]


def _get(url: str, **headers: str) -> dict[str, Any]:
    request = urllib.request.Request(url, headers={"Authorization": "Bearer sk-test", **headers})
    with urllib.request.urlopen(request, timeout=20) as response:
        value: dict[str, Any] = json.load(response)
        return value


@pytest.mark.parametrize(
    ("path", "headers", "rows", "name"),
    [
        ("/v1/models", {}, "data", "id"),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, "data", "id"),
        ("/v1beta/models", {}, "models", "name"),
    ],
    ids=["openai", "anthropic", "gemini"],
)
def test_every_vendors_list_is_in_every_dialects_list(
    path: str, headers: dict[str, str], rows: str, name: str
) -> None:
    """Vendors are asked where each keeps its list, and the answer has the shape of the client's SDK."""
    with ListingUpstream(_LISTS) as upstream, GatewayThread(_CONFIG.format(url=upstream.url)) as gateway:
        listed: list[dict[str, str]] = _get(gateway.url + path, **headers)[rows]
        assert [row[name].removeprefix("models/") for row in listed] == _NAMES
        one = _get(f"{gateway.url}{path}/a/claude-x", **headers)
        assert one[name].removeprefix("models/") == "a/claude-x"


def test_lists_come_in_pages_where_a_client_asks_for_them() -> None:
    """Anthropic by `limit`, `after_id`, `before_id`, Google by `pageSize`, `pageToken`; nonsense is a 400."""
    ours = {"anthropic-version": "2023-06-01"}
    with ListingUpstream(_LISTS) as upstream, GatewayThread(_CONFIG.format(url=upstream.url)) as gateway:
        url = gateway.url + "/v1/models"
        first = _get(url + "?limit=2", **ours)
        assert ([row["id"] for row in first["data"]], first["has_more"]) == (_NAMES[:2], True)
        rest = _get(f"{url}?limit=9&after_id={first['last_id']}", **ours)
        assert ([row["id"] for row in rest["data"]], rest["has_more"]) == (_NAMES[2:], False)
        back = _get(f"{url}?limit=1&before_id={rest['first_id']}", **ours)
        assert ([row["id"] for row in back["data"]], back["has_more"]) == ([_NAMES[1]], True)
        url, names, token = gateway.url + "/v1beta/models", list[str](), ""
        for _ in range(3):
            page = _get(f"{url}?pageSize=2{token}")
            names += [row["name"].removeprefix("models/") for row in page["models"]]
            token = "&pageToken=" + page.get("nextPageToken", "")
        assert (names, token) == (_NAMES, "&pageToken=")
        for wrong in ("?pageSize=0", "?pageSize=x", "?pageToken=nobody"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                _get(url + wrong)
            with refused.value:
                assert refused.value.code == 400
