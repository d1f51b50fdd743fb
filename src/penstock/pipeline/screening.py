"""The input guards of a route: what a request says is looked at before any target hears of it.

What they change is the request itself, so that retries, fallbacks, mirrors and the cache all get the screened
one. Local guards look first; those that are asked see what these left, all at once, each with its own
deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.core.errors import Refusal
from penstock.core.plan import Route
from penstock.core.screen_plan import Guard, ScreenPlan
from penstock.guardrails.bodies import Text, rewritten, said, screened_slots
from penstock.guardrails.docket import Docket
from penstock.guardrails.texts.contexts import between
from penstock.guardrails.texts.slots import Slot, request_slots
from penstock.pipeline.consulting import Consultation
from penstock.pipeline.preparing import Preparing, Stage
from penstock.pipeline.translation import chat_of
from penstock.shapes.openai_request import OpenAIRequest
from penstock.wire.json_fields import scan
from penstock.wire.json_paths import DuplicateKeyError, strict_json
from penstock.wire.multipart import Form

BLOCKED = "guard_blocked"
IN_A_FORM = "FORM"


class Screening(Stage):
    """One exchange's input guards. What they found is left in `exchange.docket` for the answer."""

    __slots__ = ("_consultation", "_exchange", "_plan", "_then")

    def __init__(self, plan: ScreenPlan) -> None:
        super().__init__("screen")
        self._plan = plan
        self._consultation: Consultation | None = None
        self._exchange: Preparing | None = None
        self._then: Callable[[], None] | None = None

    def prepare(self, exchange: Preparing, then: Callable[[], None]) -> None:
        """See Stage. Raises Refusal."""
        self._exchange, self._then = exchange, then
        request, plan = exchange.request, self._plan
        docket = exchange.docket = Docket()
        if request.form is not None:
            self._form(request.form, docket)
            return
        body, value, slots = self._texts(request)
        docket.vault.keep([slot.text for slot in slots])
        local = [guard for guard in plan.input if guard.remote is None]
        remote = [guard for guard in plan.input if guard.remote is not None]
        changed = screened_slots(local, slots, docket)
        self._take(request, body, value, changed)
        asked = said(self._texts(request)[2] if changed and remote else slots) if remote else []
        if docket.blocked is not None or not asked:
            self._conclude()
            return
        consultation = self._consultation = Consultation(exchange, "input", asked, docket)
        consultation.ask(remote, self._told)

    def cancel(self) -> None:
        """See Stage."""
        if self._consultation is not None:
            self._consultation.cancel()

    def _texts(self, request: OpenAIRequest) -> tuple[bytes, dict[str, Any], list[Slot]]:
        body = request.fields.body if request.fields is not None else b"{}"
        try:
            value = strict_json(body)
        except DuplicateKeyError as error:
            raise Refusal("duplicate_key", str(error)) from None
        except ValueError as error:
            raise Refusal("invalid_json", f"the body cannot be read: {error}") from None
        slots = request_slots(value)
        return body, value, between(slots, self._plan.context) if self._plan.context else slots

    def _form(self, form: Form, docket: Docket) -> None:
        """A form's texts are looked at; what would have to be changed in one blocks it."""
        texts = [(name, text) for name in form.spans for text in form.texts(name)]
        slots = [Slot((name,), "user", text) for name, text in texts if name != "model"]
        for guard in self._plan.input:
            if guard.remote is None and screened_slots([guard], slots, docket) and docket.blocked is None:
                docket.stop(guard, IN_A_FORM)
        self._conclude()

    def _told(self, guards: list[Guard]) -> None:
        """Those that were asked have answered: what they found is acted on like any finding."""
        exchange = self._exchange
        self._consultation = None
        if exchange is None or exchange.docket is None:
            return
        request, docket = exchange.request, exchange.docket
        try:
            if docket.blocked is None:
                body, value, slots = self._texts(request)
                self._take(request, body, value, screened_slots(guards, slots, docket))
            self._conclude()
        except Refusal as refusal:
            exchange.refuse(refusal)
        except Exception:
            exchange.refuse(Refusal("internal_error", "the gateway failed on this request"))
            raise

    def _take(
        self, request: OpenAIRequest, body: bytes, value: dict[str, Any], changed: dict[Any, str]
    ) -> None:
        """The request goes on with these texts; where they are none, with the very bytes that came."""
        exchange = self._exchange
        if not changed or exchange is None:
            return
        body = rewritten(body, value, changed)
        exchange.http.body = body
        request.fields = scan(body)
        before, request.chat = request.chat, None
        if before is not None and before.previous_response_id is not None:
            kept = before.previous_response_id
            request.chat = msgspec.structs.replace(chat_of(request), previous_response_id=kept)

    def _conclude(self) -> None:
        exchange, then = self._exchange, self._then
        self._exchange = self._then = None  # nothing holds an exchange that is over
        if exchange is None or then is None or exchange.docket is None:
            return
        docket = exchange.docket
        if docket.blocked is not None:
            exchange.refuse(Refusal(BLOCKED, why(docket)))
            return
        docket.asked = docket.findings
        exchange.private = docket.personal(self._plan.input)
        exchange.guarded(self._plan)
        if docket.rerouted is not None:
            lead_to(exchange, docket.rerouted)
        then()


def why(docket: Docket) -> str:
    """What the client is told of a block: the guard's own message, or its name and what it found."""
    guard = docket.blocked
    if guard is None:
        return ""
    return guard.message or f"the guard {guard.name!r} stopped this: {docket.why.lower().replace('_', ' ')}"


def lead_to(exchange: Preparing, guard: Guard) -> None:
    """Follow the route that the guard names, as far as this request may use it. Raises Refusal."""
    ctx, key = exchange.ctx, exchange.key
    route: Route | None = ctx.plan.routes.get(guard.to)
    if route is None:
        raise Refusal(
            "unknown_model", f"the guard {guard.name!r} leads to {guard.to!r}, which is no route any more"
        )
    if key.scope is not None or route.requires is not None:
        route = ctx.resolver.held.of(route, key.scope, exchange.request.endpoint)
    exchange.lead(route)


__all__ = ["BLOCKED", "Screening", "Text", "lead_to", "why"]
