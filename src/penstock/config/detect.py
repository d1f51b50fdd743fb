"""A configuration without any file: from the usual environment variables and the usual local ports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from penstock.config.document import Defaults, Document, Provider, ProviderKind, Secret
from penstock.config.probe import probe_models
from penstock.config.problem import shorten
from penstock.config.values import BadValueError, is_loopback, split_address, url
from penstock.config.vendors import DETECTED, LOCAL_SERVERS, LocalServer

SIMULATOR = "sim"

# Takes a base URL and a timeout in seconds; gives model names, or None where no model server answers.
Probe = Callable[[str, float], list[str] | None]


def detect(
    env: Mapping[str, str],
    probe: Probe = probe_models,
    *,
    listen: str = "127.0.0.1:4000",
    timeout_s: float = 0.3,
) -> tuple[Document, list[str]]:
    """A document with every provider found, and a sentence about each, for the person who starts the gateway.

    `listen` is where this gateway will be, which must never become its own upstream. Local servers are asked
    in parallel, so that all of them together take about `timeout_s`. The simulator is always there as `sim`.
    """
    providers: dict[str, Provider] = {}
    notices: list[str] = []
    _openai(env, listen, providers, notices)
    for vendor in DETECTED:
        if env.get(vendor.variable):
            secret = Secret.template(f"${{{vendor.variable}}}")
            kind = cast("ProviderKind", vendor.kind)
            providers[vendor.kind] = Provider(kind=kind, api_key=secret)
            notices.append(f"{vendor.kind}: found {vendor.variable}")
    # A server on our own port could only be another gateway, or what keeps us from starting.
    servers = [server for server in LOCAL_SERVERS if server.port != split_address(listen)[1]]
    known = {provider.base_url for provider in providers.values()}
    for server, models in _ask(servers, probe, timeout_s):
        if server.base_url not in known:
            providers[server.name] = Provider(kind="openai", base_url=server.base_url)
            notices.append(f"{server.name}: found at {server.base_url} with {_listed(models)}")
    providers[SIMULATOR] = Provider(kind="simulator")
    notices.append(f"{SIMULATOR}: the model simulator, such as {SIMULATOR}/echo")
    return Document(providers=providers, defaults=Defaults(provider_order=tuple(providers))), notices


def _openai(env: Mapping[str, str], listen: str, providers: dict[str, Provider], notices: list[str]) -> None:
    key, base_url = env.get("OPENAI_API_KEY"), env.get("OPENAI_BASE_URL")
    secret = Secret.template("${OPENAI_API_KEY}") if key else None
    if base_url:
        try:
            base_url = url(base_url)
        except BadValueError as error:
            # Without its address we do not know whose key it is, so it goes nowhere.
            notices.append(f"openai: OPENAI_BASE_URL is {error.message}; {error.hint}")
            return
        if _is_own(base_url, listen):
            notices.append("openai: OPENAI_BASE_URL is this gateway itself and was ignored")
            base_url = None
    if base_url is None and not key:
        return
    providers["openai"] = Provider(kind="openai", base_url=base_url or None, api_key=secret)
    found = [name for name, value in (("OPENAI_API_KEY", key), ("OPENAI_BASE_URL", base_url)) if value]
    notices.append(f"openai: found {' and '.join(found)}")


def _is_own(base_url: str, listen: str) -> bool:
    """Whether the URL is this gateway's address on this machine."""
    host, _, port = base_url.partition("://")[2].partition("/")[0].rpartition(":")
    own_host, own_port = split_address(listen)
    if not host or not port.isdigit() or int(port) != own_port:
        return False
    return host.strip("[]").lower() == own_host or is_loopback(f"{host}:{port}")


def _ask(servers: Sequence[LocalServer], probe: Probe, timeout_s: float) -> list[tuple[LocalServer, list[str]]]:
    """The servers that answered, in the given order, with their models."""
    answers: dict[str, list[str]] = {}

    def ask(server: LocalServer) -> None:
        models = probe(server.base_url, timeout_s)
        if models is not None:
            answers[server.name] = models

    # Daemon threads, so that a server that answers a byte at a time cannot hold up the start.
    threads = [threading.Thread(target=ask, args=(server,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 2 * timeout_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    answered = dict(answers)
    return [(server, answered[server.name]) for server in servers if server.name in answered]


def _listed(models: Sequence[str]) -> str:
    if not models:
        return "no model loaded"
    more = f" and {len(models) - 1} more" if len(models) > 1 else ""
    return f"{shorten(models[0])}{more}"
