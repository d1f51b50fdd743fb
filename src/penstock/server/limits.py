"""What one client connection may do: sizes in bytes, times in seconds."""

from __future__ import annotations

import msgspec


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the HTTP server.

    Head limits are those of nginx's and Node's defaults or above, so that no client in use meets them.
    """

    max_body_bytes: int = 32 * 1024 * 1024
    max_head_bytes: int = 64 * 1024
    max_headers: int = 128
    max_target_bytes: int = 16 * 1024
    head_timeout_s: float = 15.0
    body_idle_s: float = 30.0
    keep_alive_s: float = 75.0
    write_idle_s: float = 120.0
    pipelined_bytes: int = 64 * 1024
    write_high_water: int = 64 * 1024
