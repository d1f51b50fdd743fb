"""The upstreams: nginx with the canned answer over HTTP and HTTPS, and the metered one for streams."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import payload
from bench.process import Process, free_port, spawn
from bench.stage import OTHER_CORE, Certificate, Scheme, wait_for_answer

CONFIG = """
worker_processes 1;
worker_cpu_affinity {mask};
worker_rlimit_nofile 20000;
daemon off;
pid {folder}/upstream.pid;
error_log {folder}/upstream.err;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path {folder}/upstream-body;
  proxy_temp_path {folder}/upstream-proxy;
  fastcgi_temp_path {folder}/upstream-fastcgi;
  uwsgi_temp_path {folder}/upstream-uwsgi;
  scgi_temp_path {folder}/upstream-scgi;
  types {{ }}
  default_type application/json;
  server {{
    listen 127.0.0.1:{http} backlog=4096;
    listen 127.0.0.1:{https} ssl backlog=4096;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ return 200 '{answer}'; }}
  }}
}}
"""


@dataclass(frozen=True)
class Upstream:
    """A running upstream, and its port for each scheme."""

    process: Process
    ports: dict[Scheme, int]


def start_nginx(folder: Path, certificate: Certificate) -> Upstream:
    """Nginx with the canned answer, on the other core."""
    ports: dict[Scheme, int] = {"http": free_port(), "https": free_port()}
    config = folder / "upstream.conf"
    config.write_text(
        CONFIG.format(
            mask=format(1 << OTHER_CORE, "b"),
            folder=folder,
            http=ports["http"],
            https=ports["https"],
            chain=certificate.chain,
            key=certificate.key,
            answer=payload.answer_body().decode(),
        )
    )
    command = ["nginx", "-c", str(config), "-p", str(folder)]
    process = spawn("upstream nginx", command, folder / "upstream.log", core=OTHER_CORE)
    wait_for_answer(process, ports["http"], {}, limit_s=10)
    return Upstream(process, ports)


def start_metered(folder: Path, certificate: Certificate, scheme: Scheme, options: Sequence[str]) -> Upstream:
    """The metered upstream, on the other core."""
    port = free_port()
    tls = ["--cert", str(certificate.chain), "--key", str(certificate.key)] if scheme == "https" else []
    command = [sys.executable, "-m", "bench.metered", "--listen", str(port), *options, *tls]
    process = spawn("metered upstream", command, folder / "metered.log", core=OTHER_CORE)
    if scheme == "http":
        wait_for_answer(process, port, {}, limit_s=10, streaming=True)
    return Upstream(process, {scheme: port})
