"""The guards of routes, ready to look."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from penstock.compile.hooks import signing_key
from penstock.compile.targets import CompileError, Proxy, Reveal
from penstock.config import document as doc
from penstock.config.guard_kinds import KINDS, SCHEMA, GuardKind
from penstock.core.hook import Hook
from penstock.core.origin import Origin
from penstock.core.screen_plan import Guard, Remote, ScreenPlan
from penstock.guardrails.kinds import PluginError, detector_of

_OTHER = GuardKind()
GuardsOf = Callable[[doc.RouteGuards], ScreenPlan | None]


class Screens:
    """Makes each guard once for each side, whatever number of routes has it."""

    def __init__(self, document: doc.Document, reveal: Reveal, ca_file: str, proxy: Proxy) -> None:
        self._document = document
        self._reveal = reveal
        self._ca_file = ca_file
        self._proxy = proxy
        self._made: dict[tuple[str, bool], Guard] = {}

    def of(self, config: doc.RouteGuards) -> ScreenPlan | None:
        """The plan of a route; None where it has no guards. Raises CompileError."""
        # Unless somebody has a guard of that name, `schema` is no detector: routing/structured.py.
        outputs = [name for name in config.output if name != SCHEMA or name in self._document.guards]
        if not config.input and not outputs:
            return None
        told = [(name, self._said(name)) for name in (*config.input, "", *outputs)]
        digest = hashlib.sha256(msgspec.json.encode([told, config.context])).digest()[:16]
        return ScreenPlan(
            tuple([self._guard(name, output=False) for name in config.input]),
            tuple([self._guard(name, output=True) for name in outputs]),
            digest,
            tuple(config.context.items()),
        )

    def local(self) -> list[Guard]:
        """All guards of the document that ask nobody, used or not. Raises CompileError."""
        asks = {name for name, config in self._document.guards.items() if KINDS.get(config.kind, _OTHER).asks}
        return [self._guard(name, output=False) for name in self._document.guards if name not in asks]

    def _said(self, name: str) -> object:
        """What the configuration says of a guard, without its secret."""
        config = self._document.guards.get(name)
        if config is None:
            return None
        said = {field: getattr(config, field) for field in config.__struct_fields__ if field != "secret"}
        return msgspec.to_builtins(said)

    def _guard(self, name: str, *, output: bool) -> Guard:
        made = self._made.get((name, output))
        if made is None:
            made = self._made[name, output] = self._make(name, self._document.guards[name], output=output)
        return made

    def _make(self, name: str, config: doc.Guard, *, output: bool) -> Guard:
        kind = KINDS.get(config.kind, _OTHER)
        remote = self._remote(name, config) if kind.asks else None
        try:
            detector = None if remote is not None else detector_of(config)
        except PluginError as error:
            raise CompileError(f"guards.{name}: {error}") from None
        return Guard(
            name,
            config.kind,
            config.action or kind.action,
            detector=detector,
            remote=remote,
            threshold=config.threshold if config.threshold is not None else kind.threshold,
            closed=config.on_error == "closed",
            roles=frozenset(config.roles) or None,
            reversible=config.reversible and not output,
            to=config.to or "",
            message=config.message or "",
            deadline_s=config.deadline_s,
        )

    def _remote(self, name: str, config: doc.Guard) -> Remote:
        at = f"guards.{name}"
        if config.kind == "webhook":
            return Remote("webhook", hook=self._hook(config, at))
        if config.kind == "presidio":
            about = ",".join([*(config.languages or ("en",)), "", *config.entities])
            return Remote("inference", about=about)
        if config.kind == "moderation":
            return Remote("moderation", about=config.route or "", question=",".join(config.entities))
        grounded = config.kind == "groundedness"
        return Remote("judge", config.route or "", config.question or "", grounded=grounded)

    def _hook(self, config: doc.Guard, at: str) -> Hook:
        parts = urlsplit(config.url or "")
        scheme, host = parts.scheme, parts.hostname or ""
        port = parts.port or (443 if scheme == "https" else 80)
        origin = Origin(scheme, host, port, ca_file=self._ca_file, proxy=self._proxy(scheme, host))
        key = signing_key(config.secret, self._reveal, at) if config.secret is not None else b""
        return Hook(origin, (parts.path or "/").encode(), key, config.deadline_s, prompt=True)
