"""AWS Bedrock's Converse API: what a request, a reply and a stream have in common.

The API's own description is Bedrock's service model (`bedrock-runtime`, 2023-09-30). Binary members are
base64 in JSON. Claude's seals are those of Anthropic's own API, so that thinking moves between the two.
"""

from __future__ import annotations

SHAPE = "converse"
SIGNER = "anthropic"
