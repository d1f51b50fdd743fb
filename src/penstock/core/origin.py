"""Where connections to an upstream go."""

from __future__ import annotations

import msgspec

# Few origins are asked for their names, again and again; bounded.
_authorities: dict[Origin, bytes] = {}
_MOST = 4096
_DEFAULT_PORT = {"http": 80, "https": 443}


class Origin(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Scheme, host and port, and how to connect; deployments with equal origins share a pool.

    `owner` keeps connections apart that carry a tenant's own credential.
    `socket` is the path of a Unix socket to connect to instead.
    """

    scheme: str
    host: str
    port: int
    verify: bool = True
    ca_file: str = ""
    proxy: str = ""
    owner: str = ""
    socket: str = ""

    @property
    def authority(self) -> bytes:
        """The value of the Host field."""
        known = _authorities.get(self)
        if known is None:
            known = self._authority()
            if len(_authorities) < _MOST:
                _authorities[self] = known
        return known

    def _authority(self) -> bytes:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}").encode()
