"""Credentials of model vendors and clouds."""

from __future__ import annotations

from typing import Final

from penstock.guardrails.secrets.row import SecretRow

_B64: Final = r"[A-Za-z0-9+/]"
_URL: Final = r"[A-Za-z0-9_\-]"
_ALNUM: Final = r"[A-Za-z0-9]"

MODEL_ROWS: Final = (
    SecretRow(
        "OPENAI_API_KEY",
        (
            rf"(sk-(?:proj|svcacct|admin|None)-{_URL}{{20,}}|sk-{_ALNUM}{{20}}T3BlbkFJ{_ALNUM}{{20}}|"
            rf"sk-{_ALNUM}{{48}})"
        ),
        "https://platform.openai.com/docs/api-reference/project-api-keys",
    ),
    SecretRow(
        "ANTHROPIC_API_KEY", rf"(sk-ant-[a-z]+\d*-{_URL}{{24,}})", "https://docs.anthropic.com/en/api/overview"
    ),
    SecretRow(
        "GOOGLE_API_KEY", rf"(AIza{_URL}{{35}})", "https://cloud.google.com/docs/authentication/api-keys"
    ),
    SecretRow(
        "GOOGLE_OAUTH_SECRET",
        rf"(GOCSPX-{_URL}{{28}}|ya29\.{_URL}{{20,}})",
        "https://developers.google.com/identity/protocols/oauth2",
    ),
    SecretRow(
        "OPENROUTER_API_KEY",
        r"(sk-or-v1-[0-9a-f]{64})",
        "https://openrouter.ai/docs/api-reference/authentication",
    ),
    SecretRow("GROQ_API_KEY", rf"(gsk_{_ALNUM}{{40,}})", "https://console.groq.com/docs/quickstart"),
    SecretRow(
        "HUGGINGFACE_TOKEN",
        rf"((?:hf|api_org)_{_ALNUM}{{30,}})",
        "https://huggingface.co/docs/hub/security-tokens",
    ),
    SecretRow(
        "REPLICATE_API_TOKEN", rf"(r8_{_ALNUM}{{37}})", "https://replicate.com/docs/topics/security/api-tokens"
    ),
    SecretRow(
        "PERPLEXITY_API_KEY", rf"(pplx-{_ALNUM}{{40,}})", "https://docs.perplexity.ai/guides/getting-started"
    ),
    SecretRow("XAI_API_KEY", rf"(xai-{_ALNUM}{{60,}})", "https://docs.x.ai/docs/tutorial"),
    SecretRow(
        "FIREWORKS_API_KEY", rf"(fw_{_ALNUM}{{22,}})", "https://docs.fireworks.ai/getting-started/quickstart"
    ),
    SecretRow(
        "NVIDIA_API_KEY", rf"(nvapi-{_URL}{{60,}})", "https://docs.api.nvidia.com/nim/docs/api-quickstart"
    ),
    SecretRow("CEREBRAS_API_KEY", rf"(csk-{_ALNUM}{{40,}})", "https://inference-docs.cerebras.ai/quickstart"),
    SecretRow(
        "LANGSMITH_API_KEY", r"(lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10})", "https://docs.smith.langchain.com"
    ),
    SecretRow(
        "PINECONE_API_KEY",
        rf"(pcsk_{_ALNUM}{{4,7}}_{_ALNUM}{{40,}})",
        "https://docs.pinecone.io/guides/projects/manage-api-keys",
    ),
    SecretRow(
        "TAVILY_API_KEY",
        rf"(tvly-(?:dev-|prod-)?{_ALNUM}{{28,}})",
        "https://docs.tavily.com/documentation/quickstart",
    ),
    SecretRow("PENSTOCK_KEY", rf"(sk-penstock-{_URL}{{16,}})", "docs/tenancy.md of this repository"),
)

CLOUD_ROWS: Final = (
    SecretRow(
        "AWS_ACCESS_KEY_ID",
        r"((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
    ),
    SecretRow(
        "AWS_SECRET_ACCESS_KEY",
        rf"(?i)(?:aws|secret_?access_?key|secretaccesskey)[a-z_\-. ]{{0,24}}[\"']?\s{{0,3}}(?:=|:|=>|"
        rf"\bis\b)\s{{0,3}}[\"']?"
        rf"({_B64}{{40}})(?:[^A-Za-z0-9+/=]|$)",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    ),
    SecretRow(
        "AWS_BEDROCK_KEY",
        rf"(ABSK{_B64}{{100,}}={{0,2}})",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
    ),
    SecretRow(
        "AZURE_STORAGE_KEY",
        rf"AccountKey=({_B64}{{86}}==)",
        "https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string",
    ),
    SecretRow(
        "AZURE_SHARED_ACCESS_KEY",
        rf"SharedAccessKey=({_B64}{{43}}=)",
        "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas",
    ),
    SecretRow(
        "AZURE_SAS_TOKEN",
        r"[?&]sv=20\d\d-\d\d-\d\d[^\s\"']{0,200}&sig=([A-Za-z0-9%/+]{40,}(?:%3D|=)?)",
        "https://learn.microsoft.com/azure/storage/common/storage-sas-overview",
    ),
    SecretRow(
        "AZURE_CLIENT_SECRET",
        rf"({_ALNUM}[A-Za-z0-9_~.]{{2}}\dQ~[A-Za-z0-9_~.\-]{{31,34}})",
        "https://learn.microsoft.com/purview/sit-defn-client-secret-api-key",
    ),
    SecretRow(
        "AZURE_KEY",
        (
            r"(?i)(?:azure|cognitive|ocp-apim-subscription-key)[a-z_\-. "
            r"]{0,30}[\"']?\s{0,3}[:=]\s{0,3}[\"']?([0-9a-f]{32})\b"
        ),
        "https://learn.microsoft.com/azure/ai-services/authentication",
    ),
    SecretRow(
        "AZURE_AI_KEY",
        rf"({_ALNUM}{{52}}JQQJ99[A-Z][A-L]AC{_ALNUM}{{5}}{_ALNUM}{{3}}AAA[A-Z]{_ALNUM}{{7,12}})",
        "https://learn.microsoft.com/purview/sit-defn-azure-openai-service-api-key",
    ),
    SecretRow(
        "GOOGLE_PRIVATE_KEY_ID",
        r"\"private_key_id\"\s*:\s*\"([0-9a-f]{40})\"",
        "https://cloud.google.com/iam/docs/keys-create-delete",
    ),
    SecretRow(
        "DIGITALOCEAN_TOKEN",
        r"(do[opr]_v1_[0-9a-f]{64})",
        "https://docs.digitalocean.com/reference/api/create-personal-access-token",
    ),
    SecretRow(
        "DATABRICKS_TOKEN",
        r"(dapi[0-9a-f]{32}(?:-\d)?)",
        "https://docs.databricks.com/en/dev-tools/auth/pat.html",
    ),
    SecretRow(
        "CLOUDFLARE_ORIGIN_KEY",
        r"(v1\.0-[0-9a-f]{24}-[0-9a-f]{146})",
        "https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys",
    ),
    SecretRow(
        "HASHICORP_VAULT_TOKEN",
        rf"(hv[sbr]\.{_URL}{{24,}})",
        "https://developer.hashicorp.com/vault/docs/concepts/tokens",
    ),
    SecretRow(
        "TERRAFORM_TOKEN",
        rf"({_ALNUM}{{14}}\.atlasv1\.{_URL}{{60,70}})",
        "https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",
    ),
    SecretRow(
        "DOPPLER_TOKEN",
        rf"(dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_\-]{{2,35}}\.)?{_ALNUM}{{40,44}})",
        "https://docs.doppler.com/docs/service-tokens",
    ),
    SecretRow(
        "PULUMI_TOKEN",
        r"(pul-[0-9a-f]{40})",
        "https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens",
    ),
    SecretRow("FLY_TOKEN", r"(fm[12][ar]?_[A-Za-z0-9+/=]{100,})", "https://fly.io/docs/security/tokens"),
    SecretRow("HEROKU_TOKEN", rf"(HRKU-{_URL}{{36,}})", "https://devcenter.heroku.com/articles/authentication"),
    SecretRow(
        "ALIBABA_ACCESS_KEY_ID",
        rf"(LTAI{_ALNUM}{{16,20}})",
        "https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair",
    ),
    SecretRow(
        "SNOWFLAKE_TOKEN",
        r"(ver:1-hint:\d+-ETMsDgAAA[A-Za-z0-9+/=]{40,})",
        "https://docs.snowflake.com/en/user-guide/programmatic-access-tokens",
    ),
    SecretRow(
        "GRAFANA_TOKEN",
        rf"(glsa_{_ALNUM}{{32}}_[0-9a-f]{{8}}|glc_[A-Za-z0-9+/=]{{32,}})",
        "https://grafana.com/docs/grafana/latest/administration/service-accounts",
    ),
    SecretRow(
        "NEW_RELIC_KEY",
        r"(NRAK-[A-Z0-9]{27}|NRII-[A-Za-z0-9_\-]{32})",
        "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys",
    ),
    SecretRow(
        "SENTRY_TOKEN",
        r"(sntrys_eyJ[A-Za-z0-9+/=_\-]{80,}|sntryu_[0-9a-f]{64})",
        "https://docs.sentry.io/account/auth-tokens",
    ),
    SecretRow(
        "DYNATRACE_TOKEN",
        r"(dt0[a-z]\d{2}\.[A-Z2-7]{24}\.[A-Z2-7]{64})",
        (
            "https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients"
            "/access-tokens"
        ),
    ),
    SecretRow(
        "DATADOG_KEY",
        (
            r"(?i)(?:datadog|dd)[_\-]?(?:api|app(?:lication)?)[_\-]?key[\"']?\s{0,3}[:=]\s{0,3}[\"']?([0-9a-f]"
            r"{32,40})\b"
        ),
        "https://docs.datadoghq.com/account_management/api-app-keys",
    ),
)
