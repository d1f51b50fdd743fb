"""What must agree in a provider's credentials."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from penstock.config.document import Provider
from penstock.config.problem import child
from penstock.providers.vendors import VENDORS

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
# Whoever sets these decides where a request ends, and could smuggle another one behind it.
FRAMING_HEADERS = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",  # codespell:ignore te
        "trailer",
        "expect",
        "accept-encoding",
    }
)
# Path, message, hint.
Found = tuple[str, str, str]
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_METADATA_ADDRESSES = frozenset({"100.100.100.200", "fd00:ec2::254", "fd20:ce::254"})


def access_problems(provider: Provider, path: str) -> Iterator[Found]:
    """What is wrong with the credentials of one provider."""
    if provider.base_url and is_metadata(urlsplit(provider.base_url).hostname or ""):
        hint = "credentials of the machine are fetched by the credentials process alone"
        yield child(path, "base_url"), "the address of a cloud's metadata", hint
    for name in ("aws", "google", "entra"):
        if getattr(provider, name) is None:
            continue
        at = child(path, name)
        if not takes(provider, name):
            yield at, "has no effect", f"kind {provider.kind} takes no such credentials"
        elif provider.api_key is not None:
            yield at, "has no effect beside api_key", "remove one of them"
        else:
            yield from _details(provider, name, at)
    if signs(provider) and provider.region is None and provider.base_url:
        yield path, "the region to sign for is not known", "add region, or an api_key"


def header_problems(headers: Iterable[str], path: str) -> Iterator[Found]:
    """What is wrong with the names of further headers."""
    for header in headers:
        if not HEADER_NAME.fullmatch(header) or header.lower() in FRAMING_HEADERS:
            framing = header.lower() in FRAMING_HEADERS
            hint = "the HTTP client owns it" if framing else "it is no header name"
            yield child(child(path, "headers"), header), "cannot be set", hint


def takes(provider: Provider, cloud: str) -> bool:
    """Whether providers of this kind are authorised by credentials of this cloud."""
    if cloud == "entra":
        return provider.kind.startswith("azure")
    return VENDORS[provider.kind].auth == cloud


def signs(provider: Provider) -> bool:
    """Whether requests are signed for AWS, and therefore for a region."""
    own = any(name.lower() == "authorization" for name in provider.headers)
    return VENDORS[provider.kind].auth == "aws" and provider.api_key is None and not own


def _details(provider: Provider, name: str, at: str) -> Iterator[Found]:
    if name == "entra" and provider.entra is not None:
        for key in ("tenant_id", "client_id", "client_secret"):
            if getattr(provider.entra, key) is None:
                yield (
                    child(at, key),
                    "is missing",
                    "an application has all of tenant_id, client_id, client_secret",
                )
    aws = provider.aws
    if name != "aws" or aws is None:
        return
    if (aws.access_key_id is None) != (aws.secret_access_key is None):
        yield at, "half a key", "access_key_id and secret_access_key belong together"
    if aws.session_token is not None and aws.access_key_id is None:
        yield child(at, "session_token"), "has no effect", "it belongs to an access_key_id"
    if aws.profile is not None and aws.access_key_id is not None:
        yield child(at, "profile"), "has no effect beside access_key_id", "remove one of them"
    if aws.external_id is not None and aws.role_arn is None:
        yield child(at, "external_id"), "has no effect", "it belongs to a role_arn"


def is_metadata(host: str) -> bool:
    """Whether a cloud's machines find their own credentials at this host."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().rstrip(".") in _METADATA_NAMES
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address) in _METADATA_ADDRESSES or (address.version == 4 and address.is_link_local)
