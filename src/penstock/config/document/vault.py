"""Where secrets come from that the configuration names as `${vault:…}` (docs/secrets.md)."""

from __future__ import annotations

import msgspec

from penstock.config.document.fields import Duration, Text, Url
from penstock.config.document.secret import Secret


class Vault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A HashiCorp Vault, or what speaks its HTTP API; what is not set here comes from Vault's own variables.

    Attributes:
        address: Where it listens; without it, `VAULT_ADDR`.
        namespace: The namespace of all paths; without it, `VAULT_NAMESPACE`.
        token: A token that reads the secrets; without it and `role_id`, `VAULT_TOKEN`.
        role_id: An AppRole, with which control logs in instead.
        secret_id: What belongs to the AppRole.
        auth_path: Where the AppRole method is mounted.
        refresh: How often a secret is read again where Vault names no lease, such as `60s`.
        ca_file: PEM file of certificate authorities that are believed for it, instead of the system's.
    """

    address: Url | None = None
    namespace: Text | None = None
    token: Secret | None = None
    role_id: Secret | None = None
    secret_id: Secret | None = None
    auth_path: Text = "approle"
    refresh_s: Duration = msgspec.field(default=60, name="refresh")
    ca_file: Text | None = None
