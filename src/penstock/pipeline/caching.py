"""The cache as a stage: an answer that is kept ends the exchange; else the answer is watched, and kept.

Of requests under way that are the same one asks, and the others wait for its answer. Where it gets none, one of
them asks next; where it gets one that may not be kept, they all ask, since waiting has turned out useless.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.core.cache_plan import CachePlan
from penstock.core.fingerprint import entry_key
from penstock.core.kept import Kept
from penstock.pipeline.answer import KeptHead
from penstock.pipeline.cache_content import Content
from penstock.pipeline.cache_fill import Fill
from penstock.pipeline.cache_replay import Form, content_type, form_for, rendered
from penstock.pipeline.cache_wish import NONE, Wish, wish_of
from penstock.pipeline.caches import Caches, Follower
from penstock.pipeline.preparing import Preparing, Stage
from penstock.ports.clock import Timer
from penstock.ports.semantic import Looking, Meant, Near
from penstock.wire.json_fields import FieldsError, scan

# A store that has not answered by then is not waited for.
FIND_S = 0.25
# Of the client's own head, what a vendor's answer may depend on.
_BETAS = (b"anthropic-beta", b"openai-beta")
_FORM_OVERHEAD = 200


class Caching(Stage):
    """One exchange's look-up."""

    __slots__ = (
        "_caches", "_content", "_exchange", "_follower", "_key", "_looking", "_over", "_plan", "_space",
        "_then", "_timer", "_wish", "stale",
    )  # fmt: skip

    def __init__(self, plan: CachePlan, caches: Caches) -> None:
        super().__init__("cache")
        self._plan = plan
        self._caches = caches
        self._wish: Wish = NONE
        self._exchange: Preparing | None = None
        self._then: Callable[[], None] | None = None
        self._content: Content | None = None
        self._key = b""
        self._space = b""
        self._follower: Follower | None = None
        self._looking: Looking | None = None
        self._timer: Timer | None = None
        self._over = False
        # What was found and is too old, for an outage.
        self.stale: Kept | None = None

    def prepare(self, exchange: Preparing, then: Callable[[], None]) -> None:
        """See Stage."""
        self._exchange, self._then = exchange, then
        caches = self._caches
        wish = self._wish = wish_of(exchange.http.headers)
        why = self._unfit(exchange, wish)
        if why:
            exchange.notes["cache_skip"] = why
            self._then = None
            caches.counts_of(exchange.route.name).skipped += 1
            then()
            return
        exchange.kept_by = self
        if wish.no_cache:
            self._miss()
            return
        if caches.deep is not None:
            self._timer = exchange.ctx.clock.call_later(FIND_S, self._late)
        caches.find(self._key, self._found)

    def cancel(self) -> None:
        """See Stage."""
        self._end()
        self._then = None
        if self._follower is not None:
            self._follower.leave()
            self._follower = None

    def _end(self) -> None:
        """Nothing is waited for any more."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    # --- what is asked ------------------------------------------------------------------------------------

    def _unfit(self, exchange: Preparing, wish: Wish) -> str:
        """Why the cache has nothing to do with this request; empty, and the key is known, where it has."""
        plan = self._plan
        why = _said(exchange, wish)
        if not why and plan.when is not None and not plan.when.holds(exchange.view):
            why = "when"
        if why:
            return why
        content = self._content = self._caches.contents.of(exchange.request)
        if content is None:
            return "endpoint"
        if content.acts and "tool_calls" not in plan.also:
            return "vendor_tools"
        if content.timely and plan.skips_time:
            return "time"
        private = exchange.private or (content.personal and plan.narrows_personal)
        user = exchange.subject.user
        if (private or plan.scope == "user") and not user:
            return "personal" if private else "no_user"
        self._space = entry_key(self._places(exchange, private=private))
        self._key = entry_key([self._space, content.digest])
        return ""

    def _places(self, exchange: Preparing, *, private: bool) -> list[bytes]:
        """All that two requests must have in common beside what they ask."""
        plan, subject, route, request = self._plan, exchange.subject, exchange.route, exchange.request
        scope = plan.scope
        whose = ["global"] if scope == "global" and not private else ["org", subject.org]
        if scope == "team":
            whose += ["team", subject.team]
        elif scope == "key":
            whose += ["key", subject.key]
        if scope == "user" or private:
            whose += ["user", subject.user]
        screen = route.screen
        parts = [route.name.encode(), plan.digest, screen.digest if screen is not None else b""]
        parts += [b"\0".join([each.encode("utf-8", "replace") for each in whose])]
        if request.bound:
            parts.append(b"cap %d" % (request.cap or 0))
        if request.withheld:
            parts.append(b"withheld " + request.withheld)
        headers = exchange.http.headers
        parts += [name + b" " + headers[name] for name in _BETAS if name in headers]
        if request.withheld:
            parts.append(request.withheld)  # guards will put it back: into this answer and no other
        if plan.names:
            view = exchange.view
            parts += [f"{name} {view.value(name)!r}".encode("utf-8", "replace") for name in plan.names]
        return parts

    # --- looking ------------------------------------------------------------------------------------------

    def _late(self) -> None:
        self._timer = None
        self._found(None)

    def _found(self, kept: Kept | None) -> None:
        """The store's word; what comes after the deadline is for others."""
        exchange = self._exchange
        if self._over or self._follower is not None or exchange is None or self._looking is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if kept is not None and self._serves(kept):
            self._hit(kept, "exact", None)
        elif self._plan.semantic is None or not self._look():
            self._miss()

    def _serves(self, kept: Kept) -> bool:
        """Whether an entry may answer this request; one that is only too old is remembered."""
        exchange, wish = self._exchange, self._wish
        if exchange is None or not self._caches.good(kept, exchange.ctx.plan):
            return False
        now_ms = exchange.ctx.clock.now_ms()
        if kept.ends_ms <= now_ms:
            return False
        if kept.expires_ms <= now_ms or now_ms - kept.made_ms > self._plan.ttl_s * 1000:
            self.stale = kept
            return False
        return wish.max_age_s is None or now_ms - kept.made_ms <= wish.max_age_s * 1000

    def _look(self) -> bool:
        """Ask for an answer to a question that means the same; whether anybody was asked."""
        semantic, plan, content = self._caches.semantic, self._plan.semantic, self._content
        if semantic is None or plan is None or content is None or content.question is None:
            return False
        asked = content.question
        meant = Meant(asked.text, self._space, asked.context)
        self._looking = semantic.look(meant, plan, self._near)
        return True

    def _near(self, near: Near | None) -> None:
        self._looking = None
        if self._over:
            return
        if near is None:
            self._miss()
        elif not near.entry:
            self._note(near)
            self._miss()
        else:
            self._caches.find(near.entry, lambda kept: self._fetched(kept, near))

    def _note(self, near: Near) -> None:
        """What came near, and why it is not served, for the ledger."""
        exchange, plan = self._exchange, self._plan.semantic
        if exchange is None or plan is None:
            return
        exchange.notes["cache_near"] = near.reason
        exchange.notes["cache_similarity"] = f"{near.similarity:.4f}"
        if plan.shadow:
            exchange.notes["cache_shadow"] = "hit" if near.reason == "shadow" else "miss"

    def _fetched(self, kept: Kept | None, near: Near) -> None:
        if self._over:
            return
        stale, self.stale = self.stale, None
        if kept is not None and self._serves(kept):
            self._hit(kept, "semantic", near)
        else:
            self.stale = stale  # what is near and too old is no answer to this question
            self._miss()

    def _miss(self) -> None:
        """Lead, or wait for who leads."""
        caches, exchange = self._caches, self._exchange
        flight = caches.flights.get(self._key)
        if exchange is None:
            return
        if flight is None or self._plan.wait_s <= 0 or self._wish.no_cache:
            self._ask(leads=flight is None and self._plan.wait_s > 0)
            return
        self._follower = Follower(self._told)
        self._follower.follow(flight)
        caches.counts_of(exchange.route.name).waited += 1
        self._timer = exchange.ctx.clock.call_later(self._plan.wait_s, self._waited)

    def _waited(self) -> None:
        """Long enough: it asks by itself."""
        self._timer = None
        if self._follower is not None:
            self._follower.leave()
            self._follower = None
        self._ask(leads=False)

    def _told(self, kept: Kept | None, *, leads: bool) -> None:
        """The leader's answer is there, or there will be none."""
        self._follower = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._over:
            return
        if kept is not None and self._serves(kept):
            self._hit(kept, "exact", None)
        else:
            self._ask(leads=leads)

    # --- answering ----------------------------------------------------------------------------------------

    def _ask(self, *, leads: bool) -> None:
        """Let the targets be asked, and keep what they answer."""
        exchange, then, content = self._exchange, self._then, self._content
        self._end()
        self._then = None
        if exchange is None or then is None or content is None:
            return
        self._caches.counts_of(exchange.route.name).misses += 1
        ttl_s = self._plan.ttl_s if self._wish.ttl_s is None else min(self._wish.ttl_s, self._plan.ttl_s)
        meant = None
        if self._plan.semantic is not None and content.question is not None:
            meant = Meant(content.question.text, self._space, content.question.context)
        exchange.watcher = Fill(self._caches, self._plan, exchange, self._key, ttl_s, meant, leads=leads)
        then()

    def _hit(self, kept: Kept, source: str, near: Near | None) -> None:
        """Answer with this entry, or ask where its answer cannot be put into this request's words."""
        self._end()
        exchange = self._exchange
        if exchange is None:
            return
        if not self.serve(kept, source, near.similarity if near is not None else 0.0, ""):
            self._ask(leads=False)
            return
        self._then = None
        counts = self._caches.counts_of(exchange.route.name)
        counts.saved_nanousd += kept.cost_nanousd or 0
        if near is None:
            counts.exact += 1
        else:
            counts.semantic += 1

    def in_outage(self, max_age_s: float) -> bool:
        """See Stage."""
        kept, exchange = self.stale, self._exchange
        if kept is None or exchange is None or not self._caches.good(kept, exchange.ctx.plan):
            return False
        now_ms = exchange.ctx.clock.now_ms()
        if kept.ends_ms <= now_ms or now_ms - kept.made_ms > max_age_s * 1000:
            return False
        if not self.serve(kept, "exact", 0.0, "cached"):
            return False
        self._caches.counts_of(exchange.route.name).stale += 1
        return True

    def serve(self, kept: Kept, source: str, similarity: float, degraded: str) -> bool:
        """Answer with this entry; False where its answer cannot be put into this request's words."""
        exchange = self._exchange
        if exchange is None:
            return False
        form = form_for(exchange.request, exchange.http.query)
        body = kept.body if form.is_of(kept) else self._other(kept, form, exchange)
        if body is None:
            return False
        age_s = max(0, exchange.ctx.clock.now_ms() - kept.made_ms) // 1000
        notes = exchange.notes
        notes["cache_entry"] = kept.name
        notes["cache_age_s"] = str(age_s)
        if kept.cost_nanousd is not None:
            notes["cache_saved_nanousd"] = str(kept.cost_nanousd)
        if similarity:
            notes["cache_similarity"] = f"{similarity:.4f}"
        exchange.again(kept, KeptHead(body, content_type(form), source, age_s, similarity, degraded))
        return True

    def _other(self, kept: Kept, form: Form, exchange: Preparing) -> bytes | None:
        """The entry in another form, remembered as long as there is room."""
        forms = self._caches.forms
        key = kept.key + b"%d" % kept.made_ms + form.key
        body: bytes | None = forms.get(key)
        if body is None:
            body = rendered(kept, form, exchange.request, exchange.facts)
            if body is not None:
                forms.put(key, body, len(body) + _FORM_OVERHEAD)
        return body


def _said(exchange: Preparing, wish: Wish) -> str:
    """Why the client, or what it names, wants no cache; empty where nothing is said."""
    if wish.no_store:
        return "no_store"
    if exchange.recorded:
        return "recorded"
    if exchange.route.name != exchange.facts.route:
        return "led"  # by a guard: that guard's other rules hold for this request besides those of the route
    return "store_false" if _not_to_be_stored(exchange) else ""


def _not_to_be_stored(exchange: Preparing) -> bool:
    """Whether the client says `store: false`, and not we in its name."""
    fields = exchange.request.fields
    if fields is None or fields.raw.get("store") != b"false":
        return False
    if exchange.request.endpoint.name != "responses" or exchange.route.keeps_responses:
        return True
    try:
        return scan(exchange.http.body).raw.get("store") == b"false"
    except FieldsError:
        return True
