"""A gateway's listeners: the public port, and the control plane's own address where it has one."""

from __future__ import annotations

import ipaddress
import socket

from penstock.adapters.clock import LoopClock
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.tls import tls_context
from penstock.config.document import Document, Drain
from penstock.pipeline.admin import AdminDesk, AdminFront
from penstock.pipeline.browsers import fronted
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.gateway import Gateway
from penstock.server.limits import ServerLimits
from penstock.server.listener import HttpServer
from penstock.server.places import Places

ADMIN_DRAIN_S = 1.0


class Listeners:
    """Both listeners of one gateway. `admin` is None where the public port has the control plane's paths."""

    def __init__(
        self,
        ctx: GatewayContext,
        clock: LoopClock,
        state: StateDir,
        settings: Document,
        public: socket.socket,
        admin: socket.socket | None,
        places: Places | None = None,
    ) -> None:
        """Raises OSError, ssl.SSLError where a certificate cannot be read."""
        self._public = public
        self._admin = admin
        self._tls = tls_context(settings.server.tls)
        # On loopback TLS would prove nothing to anybody.
        self._admin_tls = self._tls if admin is None or not is_local(admin) else None
        desk = AdminDesk(
            ctx.transport,
            clock,
            lambda: ctx.plan,
            str(state.control_socket),
            tls=self._admin_tls is not None,
        )
        limits = server_limits(settings)
        self.gateway = Gateway(ctx, desk if admin is None else None)
        self._server = HttpServer(fronted(self.gateway, settings.server.cors.origins), clock, limits, places)
        self._desk_server = HttpServer(AdminFront(desk, ctx.new_request_id), clock, limits)

    async def listen(self) -> None:
        """Accept connections."""
        await self._server.listen(self._public, self._tls)
        if self._admin is not None:
            await self._desk_server.listen(self._admin, self._admin_tls)

    async def drain(self, drain: Drain) -> int:
        """Leave as the configuration says; returns how many answers were cut off."""
        self.gateway.ready = False
        self._desk_server.stop_listening()
        cut = await self._server.drain(drain.deadline_s, idle_s=drain.idle_s, notice_s=drain.notice_s)
        return cut + (await self._desk_server.drain(ADMIN_DRAIN_S) if self._admin is not None else 0)


def server_limits(document: Document) -> ServerLimits:
    """What the document says of clients' connections."""
    return ServerLimits(max_body_bytes=document.server.max_body_bytes)


def is_local(sock: socket.socket) -> bool:
    """Whether only this machine reaches a listening socket."""
    return ipaddress.ip_address(sock.getsockname()[0]).is_loopback
