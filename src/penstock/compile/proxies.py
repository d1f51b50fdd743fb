"""Which proxy leads to an origin, by the usual environment variables (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping


def proxy_for(env: Mapping[str, str], scheme: str, host: str) -> str:
    """The proxy's URL, empty where the origin is reached directly. Loopback is never proxied.

    HTTP_PROXY is read in lower case only where REQUEST_METHOD is set, as curl does: a CGI client could set it.
    """
    if _loopback(host) or _excluded(env, host):
        return ""
    if scheme == "https":
        return env.get("https_proxy") or env.get("HTTPS_PROXY") or ""
    upper = "" if "REQUEST_METHOD" in env else env.get("HTTP_PROXY", "")
    return env.get("http_proxy") or upper


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _excluded(env: Mapping[str, str], host: str) -> bool:
    for entry in (env.get("no_proxy") or env.get("NO_PROXY") or "").split(","):
        name = entry.strip().lstrip(".").lower()
        if name == "*" or (name and (host.lower() == name or host.lower().endswith(f".{name}"))):
            return True
    return False
