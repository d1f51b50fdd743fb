"""A scripted Bedrock that works out each signature with botocore, which shares no code with ours."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from tests.translation.upstream import Answer, Asked

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
REPLY = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
    "metrics": {"latencyMs": 1},
}


class Bedrock:
    """Answers who signs with one of `keys` (secret and session token by access key) for `region`."""

    def __init__(self, keys: Mapping[str, tuple[str, str]], region: str = "eu-west-1") -> None:
        self.keys = dict(keys)
        self.region = region
        self.url = ""

    def __call__(self, asked: Asked) -> Answer:
        """200, or the refusal that AWS gives, which repeats the request's headers."""
        if self.accepts(asked):
            return Answer(REPLY)
        told = "\n".join(f"{name}:{value}" for name, value in asked.headers.items())
        message = f"The request signature we calculated does not match. The canonical request was\n{told}"
        return Answer({"message": message}, 403, headers={"x-amzn-errortype": "InvalidSignatureException"})

    def accepts(self, asked: Asked) -> bool:
        """Whether the signature is the one that botocore computes."""
        words = asked.headers.get("authorization", "").replace(",", " ").split()
        parts = dict(word.split("=", 1) for word in words[1:])
        access_key, day, region, service, _ = parts["Credential"].split("/")
        secret, token = self.keys.get(access_key, ("", ""))
        signed = parts["SignedHeaders"].split(";")
        assert {"host", "content-type", "x-amz-date"} <= set(signed)
        assert day == asked.headers["x-amz-date"][:8]
        if asked.headers.get("x-amz-security-token", "") != token or not secret:
            return False
        headers = {name: asked.headers[name] for name in signed}
        expected = signature(
            self.url + asked.path, headers, asked.raw, (access_key, secret, token), self.region
        )
        return (region, service) == (self.region, "bedrock") and parts["Signature"] == expected


def signature(url: str, headers: dict[str, str], body: bytes, keys: tuple[str, str, str], region: str) -> str:
    """What botocore's own signer computes for a request that was sent."""
    auth: Any = import_module("botocore.auth")
    request: Any = import_module("botocore.awsrequest").AWSRequest("POST", url, data=body, headers=headers)
    credentials: Any = import_module("botocore.credentials").Credentials(*keys)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = auth.SigV4Auth(credentials, "bedrock", region)
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))
