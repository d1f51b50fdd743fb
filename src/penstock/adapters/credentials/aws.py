"""AWS credentials by botocore: profiles, IAM Identity Center, roles, containers' and machines' own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from penstock.adapters.credentials.library import NoCredentialError, library
from penstock.config.document import AwsAccess, Secret
from penstock.core.credentials import AwsCredentials

SESSION_NAME = "penstock"


def fetch_aws(access: AwsAccess, region: str, resolve: Callable[[Secret], str]) -> AwsCredentials:
    """The credentials of the moment. Raises NoCredentialError, and what botocore raises."""
    session = library("botocore.session", "aws").Session(profile=access.profile)
    session.set_config_variable("region", region)
    if access.access_key_id is not None and access.secret_access_key is not None:
        token = resolve(access.session_token) if access.session_token is not None else None
        session.set_credentials(resolve(access.access_key_id), resolve(access.secret_access_key), token)
    if access.role_arn is not None:
        return _assumed(session, access, region, resolve)
    found = session.get_credentials()
    if found is None:
        raise NoCredentialError("no AWS credentials: there is no profile, role or key in the environment")
    frozen = found.get_frozen_credentials()
    # botocore keeps the time to itself; without it the credential is fetched anew every few minutes.
    expiry: object = getattr(found, "_expiry_time", None)
    expires_ms = _milliseconds(expiry) if isinstance(expiry, dt.datetime) else 0
    return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token or "", expires_ms)


def _assumed(session: Any, access: AwsAccess, region: str, resolve: Callable[[Secret], str]) -> AwsCredentials:
    more = {"ExternalId": resolve(access.external_id)} if access.external_id is not None else {}
    client = session.create_client("sts", region_name=region)
    try:
        given: dict[str, Any] = client.assume_role(
            RoleArn=access.role_arn, RoleSessionName=SESSION_NAME, **more
        )["Credentials"]
    finally:
        client.close()
    return AwsCredentials(
        given["AccessKeyId"],
        given["SecretAccessKey"],
        given["SessionToken"],
        _milliseconds(given["Expiration"]),
    )


def _milliseconds(when: dt.datetime) -> int:
    return int(when.timestamp() * 1000)
