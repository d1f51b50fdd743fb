"""Models of several makers behind the clouds of Microsoft, Amazon and Google."""

from __future__ import annotations

from penstock.providers.vendors.row import CHAT, CHAT_AND_EMBEDDINGS, EVERYTHING, Vendor

_ANTHROPIC_VERSION = (("anthropic-version", "2023-06-01"),)
_FOUNDRY = "https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/endpoints"
# Google's regions, and the three places that are none: https://cloud.google.com/vertex-ai/docs/general/locations
_VERTEX = "https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}/publishers/"
_VERTEX_PATH = "/v1/projects/{project}/locations/{region}/publishers/"
# https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/locations
_VERTEX_HOSTS = (
    ("global", "https://aiplatform.googleapis.com"),
    ("us", "https://aiplatform.us.rep.googleapis.com"),
    ("eu", "https://aiplatform.eu.rep.googleapis.com"),
)


def _elsewhere(publisher: str) -> tuple[tuple[str, str], ...]:
    return tuple([(region, host + _VERTEX_PATH + publisher) for region, host in _VERTEX_HOSTS])


_AZURE = (
    Vendor(
        kind="azure",
        title="Azure OpenAI (v1 API)",
        base_url="https://{account}.openai.azure.com/openai/v1",
        speaks=EVERYTHING - {"rerank"},
        auth="api-key",
        variable="AZURE_OPENAI_API_KEY",
        cap_field="max_completion_tokens",
        media=("images", "audio"),
        price_id="azure",
        evidence="recorded",
        seen=("chat", "stream", "tools"),
        source="https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle",
    ),
    Vendor(
        kind="azure-deployments",
        title="Azure OpenAI (deployments API)",
        base_url="https://{account}.openai.azure.com/openai/deployments/{model}",
        speaks=CHAT_AND_EMBEDDINGS | {"openai", "openai.completions"},
        auth="api-key",
        variable="AZURE_OPENAI_API_KEY",
        query="api-version=2024-10-21",
        media=("images", "audio"),
        price_id="azure",
        evidence="recorded",
        seen=("chat", "stream", "errors"),
        source="https://learn.microsoft.com/azure/ai-foundry/openai/reference",
    ),
    Vendor(
        kind="azure-government",
        title="Azure OpenAI in Azure Government (deployments API)",
        base_url="https://{account}.openai.azure.us/openai/deployments/{model}",
        auth="api-key",
        variable="AZURE_OPENAI_API_KEY",
        query="api-version=2024-10-21",
        price_id="azure",
        evidence="secondary",
        source="https://learn.microsoft.com/azure/ai-foundry/openai/azure-government",
        caveat="the host is the one that users of SDKs set; many also use the v1 API there, by `base_url`",
    ),
    Vendor(
        kind="azure-foundry",
        title="Azure AI Foundry (v1 API)",
        base_url="https://{account}.services.ai.azure.com/openai/v1",
        speaks=CHAT_AND_EMBEDDINGS | {"openai.responses"},
        auth="api-key",
        variable="AZURE_AI_API_KEY",
        cap_field="max_completion_tokens",
        price_id="azure",
        source=_FOUNDRY,
    ),
    Vendor(
        kind="azure-foundry-models",
        title="Azure AI Foundry (model inference API)",
        base_url="https://{account}.services.ai.azure.com/models",
        auth="api-key",
        variable="AZURE_AI_API_KEY",
        query="api-version=2024-05-01-preview",
        price_id="azure",
        evidence="recorded",
        seen=("chat", "stream", "tools", "errors"),
        source=_FOUNDRY,
    ),
    Vendor(
        kind="azure-anthropic",
        title="Claude in Azure AI Foundry",
        base_url="https://{account}.services.ai.azure.com/anthropic/v1",
        api="anthropic",
        speaks=frozenset({"anthropic", "anthropic.count"}),
        auth="x-api-key",
        variable="ANTHROPIC_FOUNDRY_API_KEY",
        headers=_ANTHROPIC_VERSION,
        embed_api="",
        price_id="azure",
        source="https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry",
    ),
)

_AMAZON = (
    # Also in the government regions: us-gov-west-1, us-gov-east-1.
    Vendor(
        kind="bedrock",
        title="AWS Bedrock (Converse)",
        base_url="https://bedrock-runtime.{region}.amazonaws.com",
        api="converse",
        speaks=frozenset({"converse", "converse.count"}),
        auth="aws",
        variable="AWS_BEARER_TOKEN_BEDROCK",
        embed_api="",
        price_id="aws",
        evidence="recorded",
        seen=("chat", "stream", "tools", "errors"),
        source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
    ),
    Vendor(
        kind="bedrock-fips",
        title="AWS Bedrock (Converse) through FIPS endpoints, as in government regions",
        base_url="https://bedrock-runtime-fips.{region}.amazonaws.com",
        api="converse",
        speaks=frozenset({"converse", "converse.count"}),
        auth="aws",
        variable="AWS_BEARER_TOKEN_BEDROCK",
        embed_api="",
        price_id="aws",
        source="https://docs.aws.amazon.com/general/latest/gr/bedrock.html",
    ),
    # Its path has the model and the body the version, so that a client's bytes cannot pass.
    Vendor(
        kind="bedrock-anthropic",
        title="Claude on AWS Bedrock (invoke)",
        base_url="https://bedrock-runtime.{region}.amazonaws.com",
        api="bedrock.anthropic",
        speaks=frozenset(),
        auth="aws",
        variable="AWS_BEARER_TOKEN_BEDROCK",
        embed_api="",
        price_id="aws",
        evidence="recorded",
        seen=("chat", "stream", "tools", "errors"),
        source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html",
    ),
    # Takes API keys; some models are under /openai/v1, which base_url can say.
    Vendor(
        kind="bedrock-mantle",
        title="AWS Bedrock (OpenAI's API)",
        base_url="https://bedrock-mantle.{region}.api.aws/v1",
        speaks=CHAT | {"openai.responses"},
        variable="AWS_BEARER_TOKEN_BEDROCK",
        embed_api="",
        price_id="aws",
        evidence="recorded",
        seen=("chat",),
        source="https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html",
    ),
)

_GOOGLE = (
    Vendor(
        kind="vertex",
        title="Google Vertex AI (Gemini)",
        base_url=_VERTEX + "google",
        elsewhere=_elsewhere("google"),
        api="gemini",
        speaks=frozenset({"gemini", "gemini.count"}),
        auth="google",
        embed_api="vertex.embed",
        price_id="google",
        evidence="recorded",
        seen=("chat", "stream", "tools", "errors"),
        source="https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
    ),
    Vendor(
        kind="vertex-anthropic",
        title="Claude on Google Vertex AI",
        base_url=_VERTEX + "anthropic",
        elsewhere=_elsewhere("anthropic"),
        api="vertex.anthropic",
        speaks=frozenset({"anthropic.count"}),
        auth="google",
        embed_api="",
        price_id="google",
        evidence="recorded",
        seen=("chat", "stream", "tools"),
        source="https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude",
    ),
)

CLOUDS = (*_AZURE, *_AMAZON, *_GOOGLE)
