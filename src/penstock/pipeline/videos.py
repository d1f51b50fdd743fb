"""`GET /v1/videos/{id}` and `/v1/videos/{id}/content`: how a client's video stands, and its bytes.

Nothing is made here and nothing is billed, so that there is no exchange: the request counts against the key's
rate and its places, asks the vendor, and is over.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from penstock.admission.accounts import Allowance
from penstock.admission.allowances import key_allowance
from penstock.admission.scopes import key_for
from penstock.core.errors import Refusal
from penstock.core.media import VideoTask, VideoTicket
from penstock.core.requirements import Unmet
from penstock.core.target import Target
from penstock.dialects.media.videos import encode_video
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.entering import enter_or_wait, let_go
from penstock.pipeline.media import VIDEOS, ticket_of
from penstock.ports.clock import Timer
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.media import Answered, Ask, Done, Failed, Flow, VideoApi
from penstock.ports.transport import Call
from penstock.providers.media.errors import read_error
from penstock.providers.openai.errors import MAX_TEXT, failure_of_cause, failure_of_status, redact
from penstock.providers.registry import video_api
from penstock.routing.held import held_target
from penstock.upstream.tasks import Tasks

_decode_task = msgspec.json.Decoder(VideoTask).decode
_CONTENT = "/content"
_VIDEO = b"content-type: video/mp4\r\n"
_JSON = b"content-type: application/json\r\n"
WAIT_S = 600.0
_CREATE = ENDPOINTS["/v1/videos"]


class VideoLook:
    """Implements ReplyListener towards the client, ResponseHandler towards the vendor."""

    def __init__(
        self,
        ctx: GatewayContext,
        http: HttpRequest,
        reply: Reply,
        request_id: str,
        id_lines: bytes,
        refuse: Callable[[Refusal], None],
    ) -> None:
        self._ctx = ctx
        self._http = http
        self._reply = reply
        self._request_id = request_id
        self._lines = id_lines
        self._refuse = refuse
        self._id = http.path.removeprefix(VIDEOS).removesuffix(_CONTENT)
        self._wants_content = http.path.endswith(_CONTENT)
        self._status = 0
        self._body = b""
        self._passing = False
        self._over = False
        self._call: Call | None = None
        self._timer: Timer | None = None
        self._allowance: Allowance | None = None
        self._target: Target | None = None
        self._ticket: VideoTicket | None = None

    def start(self) -> None:
        """Ask the vendor. Raises Refusal."""
        ctx = self._ctx
        key = key_for(ctx.plan, self._http, ctx.clock.now_ms(), "videos", "openai")
        if self._wants_content and b"variant=" in self._http.query and b"variant=video" not in self._http.query:
            raise Refusal("unsupported_parameter", "only the video itself is served; leave `variant` out")
        ticket = self._ticket = ticket_of(ctx.box, self._id, key.subject)
        target = self._target = ctx.resolver.target(ticket.target, key.scope)
        api = video_api(target.media_api) if target is not None else None
        if target is None or api is None:
            raise Refusal("unknown_video", f"{ticket.target}, which makes this video, is no longer configured")
        unmet = held_target(target, key.scope.needs, None, _CREATE) if key.scope is not None else None
        if isinstance(unmet, Unmet):
            raise Refusal("policy_denied", f"{target.id} makes this video, and {unmet}")
        allowance = key_allowance(ctx.accounts, ctx.plan, key, ctx.clock.now_ms())

        def go() -> None:
            self._allowance = allowance
            self._ask(target, ticket, api)

        if enter_or_wait(ctx, allowance, self._reply, go, self._refuse):
            go()

    def _ask(self, target: Target, ticket: VideoTicket, api: VideoApi) -> None:
        ctx = self._ctx
        self._reply.listener = self
        self._timer = ctx.clock.call_later(
            WAIT_S, lambda: self.on_failure("total_timeout", "the vendor was slow")
        )

        def begin() -> Flow:
            look = api.look(ticket.task, target.model)
            return ContentFlow(look, api) if self._wants_content else look

        tasks = Tasks(ctx.transport, ctx.clock, ctx.tasks, target, begin, self._request_id)
        call = tasks.send(target.origin, b"", self, ctx.plan.direct_timeouts.connect_s)
        if not self._over:
            self._call = call

    # --- the client ---------------------------------------------------------------------------------------

    def client_gone(self) -> None:
        """See ReplyListener."""
        call = self._call
        if not self._over:
            self._end()
            if call is not None:
                call.cancel()

    def client_slow(self) -> None:
        """See ReplyListener."""
        if self._call is not None:
            self._call.pause()

    def client_ready(self) -> None:
        """See ReplyListener."""
        if self._call is not None:
            self._call.resume()

    # --- the vendor ---------------------------------------------------------------------------------------

    def on_connected(self, *, reused: bool) -> None:
        """See ResponseHandler."""

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See ResponseHandler."""
        self._status = status
        if status == 200 and self._wants_content:
            self._passing = True
            length = headers.get(b"content-length", b"")
            self._reply.start(200, _VIDEO + self._lines, int(length) if length.isdigit() else None)

    def on_data(self, data: bytes) -> None:
        """See ResponseHandler."""
        if self._passing:
            self._reply.write(data)
        else:
            self._body += data

    def on_end(self) -> None:
        """See ResponseHandler."""
        self._end()
        if self._passing:
            self._reply.end()
        elif self._status == 200 and self._ticket is not None:
            self._reply.send(
                200, _JSON + self._lines, encode_video(self._id, self._ticket, _decode_task(self._body))
            )
        else:
            error = read_error(self._body)
            failure = failure_of_status(self._status, self._body, None, error)
            code = error.code if error.code in ("video_not_ready", "unsupported_endpoint") else failure.code
            self._fail(
                str(code or ("unknown_video" if self._status == 404 else "upstream_rejected")), failure.message
            )

    def on_failure(self, cause: str, detail: str) -> None:
        """See ResponseHandler; also the end of our patience."""
        if self._over:
            return
        call = self._call
        self._end()
        if call is not None:
            call.cancel()
        if self._passing:
            self._reply.abort()
        else:
            self._fail(failure_of_cause(cause, detail).code, f"{cause.replace('_', ' ')}: {detail}")

    def _fail(self, code: str, message: str) -> None:
        target = self._target
        said = redact(message, target.secrets)[:MAX_TEXT] if target is not None else message
        self._refuse(Refusal(code, said))

    def _end(self) -> None:
        self._over = True
        self._call = None
        if self._timer is not None:
            self._timer.cancel()
        allowance, self._allowance = self._allowance, None
        if allowance is not None:
            let_go(self._ctx, allowance)


class ContentFlow:
    """Implements ports.media.Flow: looks at a clip and, where it is there, fetches it."""

    stops = False

    def __init__(self, look: Flow, api: VideoApi) -> None:
        self._look = look
        self._hosts = api.hosts

    def first(self) -> Ask:
        """See Flow."""
        return self._look.first()

    def next(self, answer: Answered) -> Ask | Done | Failed:
        """See Flow."""
        then = self._look.next(answer)
        if not isinstance(then, Done):
            return then
        task = _decode_task(then.body)
        if task.status != "completed" or not task.url:
            return Failed(f"the video is {task.status.replace('_', ' ')}", "video_not_ready", 409)
        if not self._hosts:
            what = "this vendor documents no host for its videos; fetch the address in the video's `url`"
            return Failed(what, "unsupported_endpoint", 400)
        return Ask(method="GET", url=task.url, hosts=self._hosts, keyed=False, passes=True)

    def cancel(self) -> Ask | None:
        """See Flow."""
        return None
