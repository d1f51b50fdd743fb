"""Where credentials come from that are not one fixed key: the clouds' own (docs/credentials.md)."""

from __future__ import annotations

import msgspec

from penstock.config.document.fields import Text, Url
from penstock.config.document.secret import Secret


class AwsAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AWS credentials that sign each request; without this mapping, those of the environment.

    Attributes:
        access_key_id: A lasting or temporary key's id.
        secret_access_key: The key itself.
        session_token: What belongs to a temporary key.
        profile: A profile of `~/.aws/config`, IAM Identity Center (SSO) included.
        role_arn: A role to assume with the credentials above, or with those of the environment.
        external_id: What the role's owner asks for.
    """

    access_key_id: Secret | None = None
    secret_access_key: Secret | None = None
    session_token: Secret | None = None
    profile: Text | None = None
    role_arn: Text | None = None
    external_id: Secret | None = None


class GoogleAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Google credentials that are exchanged for access tokens; without this mapping, the application's default.

    Attributes:
        credentials: The JSON of a service account's key, or of a workload identity federation, best as
            `${file:/path}`; without it, Application Default Credentials.
    """

    credentials: Secret | None = None


class EntraAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An application of Microsoft Entra ID, whose client credentials are exchanged for access tokens.

    Attributes:
        tenant_id: The directory.
        client_id: The application.
        client_secret: Its secret.
        authority: Where tokens are issued; another one in national clouds.
        scope: What they are issued for.
    """

    tenant_id: Text | None = None
    client_id: Text | None = None
    client_secret: Secret | None = None
    authority: Url = "https://login.microsoftonline.com"
    scope: Text = "https://cognitiveservices.azure.com/.default"
