"""The credentials of the moment, in memory, and the header lines that authorise a request with them."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl

from penstock.core.credentials import AwsCredentials, BearerToken, Credential, Signing
from penstock.core.errors import Refusal
from penstock.core.itinerary import Verdict
from penstock.core.target import Target
from penstock.providers.openai.errors import Failure
from penstock.wire.sigv4 import AwsScope, body_hash, sign

# A credential this close to its end would be refused where clocks differ a little.
EARLY_MS = 2_000
SERVICE = "bedrock"
_NAMES = {"aws": "AWS credentials", "google": "Google token", "entra": "Entra ID token"}
_ADVICE = "the log of the credentials process says why, and docs/credentials.md what to do"


class CredentialTable:
    """Implements ports.credentials.CredentialSink; outlives reloads, as those that it holds do."""

    def __init__(self) -> None:
        self._held: dict[str, Credential] = {}
        self._before: dict[str, Credential] = {}
        self._trouble: dict[str, str] = {}

    def offer(self, source: str, credential: Credential) -> None:
        """See CredentialSink."""
        held = self._held.get(source)
        if held is not None:
            self._before[source] = held
        self._held[source] = credential
        self._trouble.pop(source, None)

    def trouble(self, source: str, sentence: str) -> None:
        """See CredentialSink."""
        self._trouble[source] = sentence

    def heard(self, source: str) -> bool:
        """See CredentialSink."""
        return source in self._held or source in self._trouble

    def keep(self, sources: set[str], now_ms: int) -> None:
        """Forget what has expired and no provider of the Plan names any more."""
        for source in [name for name in self._held if name not in sources]:
            if not _good(self._held[source], now_ms):
                del self._held[source]
                self._before.pop(source, None)
        for source in [name for name in self._trouble if name not in sources]:
            del self._trouble[source]

    def current(self, signing: Signing, now_ms: int) -> Credential | None:
        """The credential to use now, None where there is none that is good."""
        if signing.fixed is not None:
            return signing.fixed
        held = self._held.get(signing.source)
        return held if held is not None and _good(held, now_ms) else None

    def bearer(self, signing: Signing | None, now_ms: int) -> bytes:
        """The header line of a token, empty where no credential is wanted. Raises Refusal."""
        if signing is None:
            return b""
        credential = self.current(signing, now_ms)
        if isinstance(credential, BearerToken):
            return b"authorization: Bearer %b\r\n" % credential.value.encode()
        raise Refusal("no_credential", self.missing(signing).message, retry_after_s=1.0)

    def secrets_of(self, signing: Signing | None) -> tuple[str, ...]:
        """What an upstream may repeat of them and nobody may read: this credential's and the last one's."""
        if signing is None:
            return ()
        known = (self._held.get(signing.source), self._before.get(signing.source))
        return tuple([text for each in known if each is not None for text in each.secrets])

    def missing(self, signing: Signing) -> Failure:
        """The failure of an attempt that cannot be authorised.

        Where nothing has been heard yet, as in the first moment after a change, waiting may help.
        """
        what = _NAMES[signing.cloud]
        trouble = self._trouble.get(signing.source)
        verdict: Verdict = "fallback"
        if signing.source in self._held:
            said = f"its {what} expired and could not be renewed"
        elif trouble is not None:
            said = f"it has no {what}"
        else:
            said = f"its {what} have not arrived from the credentials process yet"
            verdict = "retry"
        said += f": {trouble}" if trouble else f"; {_ADVICE}"
        return Failure("no_credential", "no_credential", 0, said, verdict=verdict)


def _good(credential: Credential, now_ms: int) -> bool:
    return not credential.expires_ms or now_ms < credential.expires_ms - EARLY_MS


def authorization(
    target: Target,
    signing: Signing,
    credential: Credential,
    path: bytes,
    query: bytes,
    content_type: bytes,
    body: bytes,
    now_ms: int,
) -> bytes:
    """The header lines for one request; `path` is the whole one, as it is sent, and may have a query."""
    if isinstance(credential, BearerToken):
        return b"authorization: Bearer %b\r\n" % credential.value.encode()
    return _signature(target, signing, credential, path, query, content_type, body, now_ms)


def _signature(
    target: Target,
    signing: Signing,
    credential: AwsCredentials,
    path: bytes,
    query: bytes,
    content_type: bytes,
    body: bytes,
    now_ms: int,
) -> bytes:
    plain, _, own = path.decode().partition("?")
    asked = "&".join([each for each in (own, query.decode()) if each])
    added = sign(
        "POST",
        plain,
        parse_qsl(asked, keep_blank_values=True),
        [("host", target.origin.authority.decode()), ("content-type", content_type.decode("latin-1"))],
        body_hash(body),
        AwsScope(signing.region, SERVICE),
        credential,
        dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC),
    )
    return "".join([f"{name}: {value}\r\n" for name, value in added]).encode("latin-1")
