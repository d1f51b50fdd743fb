"""What goes from the credentials process to a gateway: one line of JSON for each credential, or trouble."""

from __future__ import annotations

import msgspec

from penstock.core.credentials import AwsCredentials, BearerToken, Credential
from penstock.ports.credentials import CredentialSink

MAX_LINE_BYTES = 256 * 1024


class _Line(msgspec.Struct, omit_defaults=True):
    """Never shown: it has secrets."""

    source: str
    trouble: str = ""
    token: str = ""
    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""
    expires_ms: int = 0

    def __repr__(self) -> str:
        return f"_Line({self.source})"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


def offer_line(source: str, credential: Credential) -> bytes:
    """A credential as a line."""
    if isinstance(credential, BearerToken):
        line = _Line(source, token=credential.value, expires_ms=credential.expires_ms)
    else:
        line = _Line(
            source,
            access_key=credential.access_key,
            secret_key=credential.secret_key,
            session_token=credential.session_token,
            expires_ms=credential.expires_ms,
        )
    return _encode(line) + b"\n"


def trouble_line(source: str, sentence: str) -> bytes:
    """Why there is none."""
    return _encode(_Line(source, trouble=sentence)) + b"\n"


def take(line: bytes, sink: CredentialSink) -> None:
    """Tell the sink what a line says. Raises ValueError for what is no such line, without its text."""
    try:
        read = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValueError("not a line of the credentials process") from None
    texts = read.token + read.access_key + read.session_token
    if not (texts.isascii() and texts.isprintable()):
        raise ValueError("a credential that a header cannot carry")
    if read.trouble:
        sink.trouble(read.source, read.trouble)
    elif read.token:
        sink.offer(read.source, BearerToken(read.token, read.expires_ms))
    elif read.access_key:
        keys = AwsCredentials(read.access_key, read.secret_key, read.session_token, read.expires_ms)
        sink.offer(read.source, keys)
