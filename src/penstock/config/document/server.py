"""What a process needs before it serves: addresses, TLS, state and the journal. A restart applies changes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from penstock.config.document.fields import Address, Duration, Name, Network, Size, Text, Url
from penstock.config.document.secret import Secret

DrainSeconds = Annotated[float, Meta(ge=0, le=3600)]
# A segment much smaller than one turn's appends would be rotated all the time.
SegmentSize = Annotated[int, Meta(ge=65_536, extra={"reads": "size"})]


class Tls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The certificate that the gateway shows to its clients.

    Attributes:
        cert: Path of the PEM file with the certificate chain.
        key: Path of the PEM file with the private key.
    """

    cert: Text
    key: Text


class RedisTls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a `rediss://` server is recognised, and what it is shown.

    Attributes:
        ca_file: PEM file of certificate authorities trusted for it, instead of `server.ca_file`'s or the
            system's.
        cert: PEM file with the certificate that we show, where the server asks for one.
        key: PEM file with its private key.
        server_name: The name in the server's certificate, where it is not the host of the URL.
    """

    ca_file: Text | None = None
    cert: Text | None = None
    key: Text | None = None
    server_name: Text | None = None


class Cors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which web pages may call the gateway from a browser; they need a key all the same.

    The dashboard and the admin API answer pages of no other origin, whatever stands here.

    Attributes:
        origins: Allowed origins, such as `https://app.example.com`; `"*"` alone for every page. Cookies are
            never allowed.
    """

    origins: tuple[Text, ...] = ()


class Drain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a gateway leaves after SIGTERM: `/readyz` says 503, and answers say `connection: close`.

    Attributes:
        notice_s: So long it goes on accepting connections, for balancers that ask `/readyz`; in seconds.
        idle_s: So long an open connection is kept for a request that may be on its way; in seconds.
        deadline_s: So long answers may take after that notice until they are cut off; in seconds.
    """

    notice_s: DrainSeconds = 0.0
    idle_s: DrainSeconds = 1.0
    deadline_s: DrainSeconds = 30.0


class CacheStore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where answers are kept that routes with a `cache` may use again.

    Attributes:
        store: `memory` is each gateway's own and gone with it; `sqlite` a file of this machine besides,
            `redis` the server of `server.redis_url` besides; both hold answers encrypted. Without it `redis`
            where there is one, else `memory`.
        max_bytes: Bytes of answers in one gateway's memory.
        max_file_bytes: Bytes of answers in the file.
    """

    store: Literal["memory", "sqlite", "redis"] | None = None
    max_bytes: Size = 64_000_000
    max_file_bytes: Size = 1_000_000_000


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Addresses, limits and state of the processes; static, so a restart applies a change.

    Attributes:
        listen: Address and port of the gateway.
        admin_listen: An own address for `/admin`, `/ui` and `/metrics`.
        control_url: Where a gateway on another machine finds control, as `https://control.internal:4002`.
            This file's `server` and `journal` hold then, all else comes from there.
        control_listen: Where control answers gateways of other machines; by TLS, unless it is on loopback.
        control_token: The secret by which control and other machines know each other; at least 24
            characters.
        control_ca_file: PEM file of certificate authorities trusted for control, instead of `ca_file`'s.
        tls: Certificate and key, also of `control_listen`; without them the gateway speaks plain HTTP.
        ca_file: PEM file of certificate authorities trusted for upstreams, instead of the system's.
        trusted_proxies: Networks whose `X-Forwarded-For` is believed.
        cors: Which web pages may call the gateway.
        max_body_bytes: Largest request body, such as `32MB`.
        state_dir: Directory of journal, ledger, snapshot and master key.
        workers: Number of gateway processes.
        region: Where these processes run, such as `eu-west-1`; conditions in policies can ask for it.
        drain: How a gateway leaves without dropping a request.
        database_url: PostgreSQL for several machines, instead of the embedded SQLite; a secret, as it may
            have a password.
        redis_url: Redis for several machines; a secret as well.
        redis_tls: Certificates for a `rediss://` URL.
        cache: Where answers are kept that may be used again.
    """

    listen: Address = "127.0.0.1:4000"
    admin_listen: Address | None = None
    control_url: Url | None = None
    control_listen: Address | None = None
    control_token: Secret | None = None
    control_ca_file: Text | None = None
    tls: Tls | None = None
    ca_file: Text | None = None
    trusted_proxies: tuple[Network, ...] = ()
    cors: Cors = Cors()
    max_body_bytes: Size = 32_000_000
    state_dir: Text = "./.penstock"
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    region: Name | None = None
    drain: Drain = Drain()
    database_url: Secret | None = None
    redis_url: Secret | None = None
    redis_tls: RedisTls = RedisTls()
    cache: CacheStore = CacheStore()


class Journal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the record of what happened is kept.

    Attributes:
        segment_bytes: Size at which a segment is closed and a new one begun.
        retention: How long closed segments are kept, such as `30d`; in seconds when it is a number.
        max_bytes: Total size at which the journal counts as full; without it only the disk is the limit.
        on_journal_full: `refuse` answers 503; `drop_and_count` serves on, and counts what it could not
            record.
        fsync: What power loss may cost: `never` leaves it to the system, `interval` syncs once a second,
            `turn` syncs before the answers of each turn of the event loop end. Process death costs nothing
            in any case.
    """

    segment_bytes: SegmentSize = 64_000_000
    retention_s: Duration = msgspec.field(default=30 * 86_400, name="retention")
    max_bytes: Size | None = None
    on_journal_full: Literal["refuse", "drop_and_count"] = "refuse"
    fsync: Literal["never", "interval", "turn"] = "never"
