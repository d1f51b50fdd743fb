"""`GET /v1/models`: what a key may name, from routes, deployments and the providers' own lists."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from penstock.core.plan import Plan, Provider, VirtualKey
from penstock.dialects.model_lists import Entry
from penstock.pipeline.context import GatewayContext
from penstock.ports.clock import Timer
from penstock.ports.transport import Call
from penstock.providers.model_lists import list_request, listed

KEEP_S = 300.0
KEEP_FAILURE_S = 10.0
WAIT_S = 3.0
MAX_LIST_BYTES = 4 * 1024 * 1024


class ModelList:
    """One client's question: asks the providers whose lists are not known, waits a little, answers."""

    def __init__(self, ctx: GatewayContext, key: VirtualKey, done: Callable[[list[Entry]], None]) -> None:
        self._ctx = ctx
        self._plan: Plan = ctx.plan
        self._key = key
        self._done: Callable[[list[Entry]], None] | None = done
        self._asked: set[str] = set()
        self._timer: Timer | None = None

    def start(self) -> None:
        """Answer at once where everything is known."""
        now = self._ctx.clock.monotonic()
        if self._direct:
            for provider in self._providers().values():
                if provider.template.media_api or provider.template.signing is not None:
                    continue  # voices are no models, and clouds list theirs elsewhere
                known = self._ctx.model_lists.get(provider.name)
                if known is None or known[0] < now:
                    self._asked.add(provider.name)
            asked = [provider for provider in self._providers().values() if provider.name in self._asked]
            for provider in asked:
                _Question(self._ctx, provider, self._answered).ask()
        if self._asked and self._done is not None:
            self._timer = self._ctx.clock.call_later(WAIT_S, self._finish)
        else:
            self._finish()

    @property
    def _direct(self) -> bool:
        return self._plan.direct_open or self._key.direct

    def _providers(self) -> dict[str, Provider]:
        """The providers by the names that clients say, as this key's tenant opens them."""
        scope = self._key.scope
        return self._plan.providers | (scope.own if scope is not None else {})

    def _answered(self, provider: str) -> None:
        self._asked.discard(provider)
        if not self._asked and self._timer is not None:
            self._finish()

    def _finish(self) -> None:
        done, self._done = self._done, None
        if self._timer is not None:
            self._timer.cancel()
        if done is not None:
            done(self._entries())

    def _entries(self) -> list[Entry]:
        plan, key = self._plan, self._key
        owned: list[Entry] = [
            (name, "penstock") for name in plan.routes if key.routes is None or name in key.routes
        ]
        if self._direct:
            owned += [(name, target.provider) for name, target in plan.deployments.items()]
            for name, provider in self._providers().items():
                _, models = self._ctx.model_lists.get(provider.name, (0.0, ()))
                owned += [(f"{name}/{model}", name) for model in models]
        lists = self._ctx.resolver.lists
        return [entry for entry in owned if lists(entry[0], key.scope)]


class _Question:
    """`GET /models` at one provider; its list, or its silence, is remembered for a while."""

    def __init__(self, ctx: GatewayContext, provider: Provider, done: Callable[[str], None]) -> None:
        self._ctx = ctx
        self._provider = provider
        self._done = done
        self._status = 0
        self._body = b""
        self._call: Call | None = None

    def ask(self) -> None:
        """Send it. A call that never ends is given up with the question's own deadline."""
        target = self._provider.template
        request = list_request(target)
        if request is None:
            self._keep(())
            return
        self._ctx.clock.call_later(WAIT_S, self._give_up)
        call = self._ctx.transport.send(target.origin, request, self, WAIT_S)
        if self._done is not _nothing:
            self._call = call

    def _give_up(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._keep(())

    def on_connected(self, *, reused: bool) -> None:
        """See ports.transport."""

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See ports.transport."""
        del headers
        self._status = status

    def on_data(self, data: bytes) -> None:
        """See ports.transport."""
        if len(self._body) < MAX_LIST_BYTES:
            self._body += data

    def on_end(self) -> None:
        """See ports.transport."""
        models: tuple[str, ...] = ()
        if self._status == 200:
            try:
                models = listed(self._provider.template, self._body)
            except (msgspec.DecodeError, UnicodeDecodeError):
                models = ()
        self._keep(models)

    def on_failure(self, cause: str, detail: str) -> None:
        """See ports.transport."""
        del cause, detail
        self._keep(())

    def _keep(self, models: tuple[str, ...]) -> None:
        self._call = None
        until = self._ctx.clock.monotonic() + (KEEP_S if models else KEEP_FAILURE_S)
        self._ctx.model_lists[self._provider.name] = (until, models)
        done, self._done = self._done, _nothing
        done(self._provider.name)


def _nothing(provider: str) -> None:
    del provider
