"""What one client connection may do: sizes in bytes, times in seconds."""

from __future__ import annotations

import msgspec


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the HTTP server.

    Head limits are those of nginx's and Node's defaults or above, so that no client in use meets them. Times
    are kept to within a tenth of a second; `head_timeout_s` counts from the first byte of a head (or from the
    connection's start) to its last, `body_idle_s` and `write_idle_s` between two signs of progress.
    """

    max_body_bytes: int = 32 * 1024 * 1024
    max_head_bytes: int = 64 * 1024
    max_headers: int = 128
    max_target_bytes: int = 16 * 1024
    handshake_timeout_s: float = 10.0
    head_timeout_s: float = 15.0
    body_idle_s: float = 30.0
    keep_alive_s: float = 75.0
    write_idle_s: float = 120.0
    linger_s: float = 2.0
    pipelined_bytes: int = 64 * 1024
    pipelined_requests: int = 128
    write_high_water: int = 64 * 1024
