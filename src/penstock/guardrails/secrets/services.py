"""Credentials of forges, package indexes and services."""

from __future__ import annotations

from typing import Final

from penstock.guardrails.secrets.row import SecretRow

_URL: Final = r"[A-Za-z0-9_\-]"
_ALNUM: Final = r"[A-Za-z0-9]"

CODE_ROWS: Final = (
    SecretRow(
        "GITHUB_TOKEN",
        rf"(gh[pousr]_{_ALNUM}{{36,255}}|github_pat_{_ALNUM}{{22}}_{_ALNUM}{{59}})",
        (
            "https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-"
            "to-github"
        ),
    ),
    SecretRow(
        "GITLAB_TOKEN",
        (
            rf"((?:glpat|gldt|glrt|glcbt|glptt|glft|glimt|glagent|glwt|glsoat|gloas|"
            rf"glffct)-{_URL}{{20,}}(?:\.[0-9a-z.]{{3,}})?)"
        ),
        "https://docs.gitlab.com/security/tokens/#token-prefixes",
    ),
    SecretRow(
        "BITBUCKET_TOKEN",
        rf"(ATBB{_ALNUM}{{32,}}|ATCTT3xFfG[A-Za-z0-9+/=_\-]{{60,}})",
        "https://support.atlassian.com/bitbucket-cloud/docs/app-passwords",
    ),
    SecretRow(
        "ATLASSIAN_API_TOKEN",
        r"(ATATT3[A-Za-z0-9_\-=]{60,})",
        "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account",
    ),
    SecretRow("NPM_TOKEN", rf"(npm_{_ALNUM}{{36}})", "https://docs.npmjs.com/about-access-tokens"),
    SecretRow("PYPI_TOKEN", rf"(pypi-AgE{_URL}{{50,}})", "https://pypi.org/help/#apitoken"),
    SecretRow("RUBYGEMS_KEY", r"(rubygems_[0-9a-f]{48})", "https://guides.rubygems.org/api-key-scopes"),
    SecretRow(
        "CRATES_IO_TOKEN", rf"(cio{_ALNUM}{{32}})", "https://doc.rust-lang.org/cargo/reference/publishing.html"
    ),
    SecretRow(
        "DOCKER_TOKEN", rf"(dckr_(?:pat|oat)_{_URL}{{27,}})", "https://docs.docker.com/security/access-tokens"
    ),
    SecretRow(
        "POSTMAN_KEY",
        r"(PMAK-[0-9a-f]{24}-[0-9a-f]{34})",
        "https://learning.postman.com/docs/developer/postman-api/authentication",
    ),
    SecretRow("LINEAR_KEY", rf"(lin_(?:api|oauth)_{_ALNUM}{{40,}})", "https://linear.app/developers/graphql"),
    SecretRow(
        "NOTION_TOKEN",
        rf"(ntn_{_ALNUM}{{40,}}|secret_{_ALNUM}{{43}})",
        "https://developers.notion.com/docs/authorization",
    ),
    SecretRow(
        "AIRTABLE_TOKEN",
        rf"(pat{_ALNUM}{{14}}\.[0-9a-f]{{64}})",
        "https://airtable.com/developers/web/guides/personal-access-tokens",
    ),
    SecretRow("FIGMA_TOKEN", rf"(figd_{_URL}{{40,}})", "https://www.figma.com/developers/api#access-tokens"),
    SecretRow(
        "SUPABASE_KEY",
        rf"(sbp_[0-9a-f]{{40}}|sb_secret_{_URL}{{20,}})",
        "https://supabase.com/docs/guides/api/api-keys",
    ),
    SecretRow(
        "PLANETSCALE_TOKEN",
        rf"(pscale_(?:tkn|oauth|pw)_{_URL}{{32,}})",
        "https://planetscale.com/docs/concepts/service-tokens",
    ),
    SecretRow(
        "AGE_SECRET_KEY",
        r"(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})",
        "https://age-encryption.org/v1",
    ),
    SecretRow(
        "ONEPASSWORD_TOKEN",
        r"(ops_eyJ[A-Za-z0-9+/=_\-]{100,})",
        "https://developer.1password.com/docs/service-accounts",
    ),
)

SERVICE_ROWS: Final = (
    SecretRow(
        "SLACK_TOKEN",
        (
            r"(xox[abeoprs]-(?:\d+-)?[A-Za-z0-9\-]{10,}|xapp-\d-[A-Z0-9]+-\d+-[0-9a-f]{32,}|"
            r"xoxe\.xox[bp]-\d-[A-Za-z0-9]{100,})"
        ),
        "https://api.slack.com/concepts/token-types",
    ),
    SecretRow(
        "SLACK_WEBHOOK",
        r"(https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{30,})",
        "https://api.slack.com/messaging/webhooks",
    ),
    SecretRow(
        "STRIPE_KEY",
        rf"((?:sk|rk)_(?:live|test)_{_ALNUM}{{16,}}|whsec_[A-Za-z0-9+/=]{{32,}})",
        "https://docs.stripe.com/keys",
    ),
    SecretRow(
        "SQUARE_TOKEN",
        rf"(sq0(?:atp-{_URL}{{22}}|csp-{_URL}{{43}})|EAAA{_URL}{{60}})",
        "https://developer.squareup.com/docs/build-basics/access-tokens",
    ),
    SecretRow(
        "PAYPAL_BRAINTREE_TOKEN",
        r"(access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32})",
        "https://developer.paypal.com/braintree/docs/guides/authorization",
    ),
    SecretRow("TWILIO_KEY", r"((?:SK|AC)[0-9a-f]{32})", "https://www.twilio.com/docs/glossary/what-is-a-sid"),
    SecretRow(
        "SENDGRID_KEY",
        rf"(SG\.{_URL}{{22}}\.{_URL}{{43}})",
        "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
    ),
    SecretRow(
        "MAILGUN_KEY", r"(key-[0-9a-f]{32})", "https://documentation.mailgun.com/docs/mailgun/api-reference"
    ),
    SecretRow(
        "MAILCHIMP_KEY",
        r"([0-9a-f]{32}-us\d{1,2})",
        "https://mailchimp.com/developer/marketing/guides/quick-start",
    ),
    SecretRow(
        "BREVO_KEY",
        r"(xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16})",
        "https://developers.brevo.com/docs/getting-started",
    ),
    SecretRow(
        "RESEND_KEY",
        rf"(re_{_ALNUM}{{8}}_{_ALNUM}{{20,}})",
        "https://resend.com/docs/dashboard/api-keys/introduction",
    ),
    SecretRow(
        "SHOPIFY_TOKEN",
        r"(shp(?:at|ca|pa|ss|tka|ua)_[0-9a-fA-F]{32})",
        "https://shopify.dev/changelog/length-of-the-shopify-access-token-is-increasing",
    ),
    SecretRow(
        "TELEGRAM_BOT_TOKEN",
        rf"(\d{{8,10}}:AA{_URL}{{33}})",
        "https://core.telegram.org/bots/features#botfather",
    ),
    SecretRow(
        "DISCORD_TOKEN",
        rf"([MNO]{_URL}{{23,27}}\.{_URL}{{6}}\.{_URL}{{27,38}})",
        "https://discord.com/developers/docs/reference#authentication",
    ),
    SecretRow(
        "DISCORD_WEBHOOK",
        rf"(https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d{{17,20}}/{_URL}{{60,}})",
        "https://discord.com/developers/docs/resources/webhook",
    ),
    SecretRow(
        "FACEBOOK_TOKEN",
        rf"(EAA[MC]{_ALNUM}{{80,}})",
        "https://developers.facebook.com/docs/facebook-login/guides/access-tokens",
    ),
    SecretRow(
        "HUBSPOT_TOKEN",
        r"(pat-(?:na|eu|ap)\d-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
        "https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
    ),
    SecretRow(
        "MAPBOX_TOKEN",
        rf"(sk\.eyJ{_URL}{{50,}}\.{_URL}{{20,}})",
        "https://docs.mapbox.com/help/getting-started/access-tokens",
    ),
    SecretRow(
        "TYPEFORM_TOKEN",
        r"(tfp_[A-Za-z0-9_\-.=]{40,})",
        "https://www.typeform.com/developers/get-started/personal-access-token",
    ),
    SecretRow(
        "PLAID_TOKEN",
        (
            r"(access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a"
            r"-f]{12})"
        ),
        "https://plaid.com/docs/api/items",
    ),
    SecretRow(
        "TEAMS_WEBHOOK",
        (
            r"(https://[a-z0-9\-]+\.webhook\.office\.com/webhookb2/[0-9a-f\-]{36}@[0-9a-f\-]{36}/IncomingWebho"
            r"ok/[0-9a-f]{32}/[0-9a-f\-]{36})"
        ),
        (
            "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-w"
            "ebhook"
        ),
    ),
)
