"""Credentials that change while a gateway runs, and what a target says of the ones that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Cloud = Literal["aws", "google", "entra"]


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """What signs: `session_token` is that of temporary credentials, empty for lasting ones.

    `expires_ms` is in milliseconds since the epoch, 0 where there is no end.
    """

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    expires_ms: int = 0

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that nobody may read."""
        return (self.secret_key, self.session_token) if self.session_token else (self.secret_key,)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """An access token of OAuth 2.0."""

    value: str = field(repr=False)
    expires_ms: int = 0

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that nobody may read."""
        return (self.value,)


Credential = AwsCredentials | BearerToken


@dataclass(frozen=True, slots=True)
class Signing:
    """How a target's requests are authorised at the moment that they are sent.

    Attributes:
        cloud: Whose credentials they are.
        source: The name under which the credentials process hands them out; empty with `fixed`.
        region: The region that an AWS signature holds for.
        fixed: Keys that stand in the configuration or the environment.
    """

    cloud: Cloud
    source: str = ""
    region: str = ""
    fixed: AwsCredentials | None = field(default=None, repr=False)
