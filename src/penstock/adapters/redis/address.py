"""Where Redis is and how to log in there: `server.redis_url`."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

_FORMS = "redis://[user[:password]@]host[:port][/database], rediss:// for TLS, or unix:///path[?db=number]"


class RedisUrlError(ValueError):
    """The URL cannot be used; the message says how it should look and shows nothing of it."""


class RedisAddress:
    """A server, a database and a login. Its text and repr leave the password out."""

    __slots__ = ("database", "host", "password", "path", "port", "tls", "user")

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 6379,
        *,
        path: str = "",
        tls: bool = False,
        user: str = "",
        password: str = "",
        database: int = 0,
    ) -> None:
        self.host = host
        self.port = port
        self.path = path
        self.tls = tls
        self.user = user
        self.password = password
        self.database = database

    @classmethod
    def parse(cls, url: str) -> RedisAddress:
        """Read a URL. Raises RedisUrlError."""
        try:
            parts = urlsplit(url)
            port = parts.port or 6379
        except ValueError:
            raise RedisUrlError(f"server.redis_url is not a URL; write {_FORMS}") from None
        if parts.scheme not in {"redis", "rediss", "unix"} or parts.fragment:
            raise RedisUrlError(f"server.redis_url is not a Redis URL; write {_FORMS}")
        database = parts.path.removeprefix("/") if parts.scheme != "unix" else ""
        if parts.query:
            name, _, value = parts.query.partition("=")
            if name != "db" or database:
                raise RedisUrlError(f"server.redis_url has a query that is not `db=number`; write {_FORMS}")
            database = value
        if database and not (database.isascii() and database.isdigit()):
            raise RedisUrlError(f"server.redis_url has a database that is not a number; write {_FORMS}")
        path = unquote(parts.path) if parts.scheme == "unix" else ""
        if not (path or parts.hostname):
            raise RedisUrlError(f"server.redis_url names no host; write {_FORMS}")
        return cls(
            parts.hostname or "",
            port,
            path=path,
            tls=parts.scheme == "rediss",
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=int(database or 0),
        )

    def __str__(self) -> str:
        where = self.path or f"{self.host}:{self.port}"
        return f"{where}/{self.database}" + (" over TLS" if self.tls else "")

    def __repr__(self) -> str:
        return f"RedisAddress({self})"
