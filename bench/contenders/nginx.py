"""nginx `proxy_pass` with a key check and an access log: the mark of native code."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bench import payload
from bench.process import descendants, free_port, spawn
from bench.stage import GATEWAY_CORE, Running, Stage, wait_for_answer

CONFIG = """
worker_processes 1;
worker_rlimit_nofile 65536;
daemon off;
pid {folder}/pid;
error_log {folder}/err;
events {{ worker_connections 32768; }}
http {{
  access_log {folder}/access.log;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream up {{
    server 127.0.0.1:{upstream};
    keepalive 256;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      if ($http_authorization != "Bearer {key}") {{ return 401; }}
      proxy_pass {scheme}://up;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_read_timeout 1h;
      proxy_buffering {buffering};
      {tls}
    }}
  }}
}}
"""
TLS = """proxy_ssl_trusted_certificate {ca};
      proxy_ssl_verify on;
      proxy_ssl_name localhost;"""


class Nginx:
    """One worker process; it relays, it does not know what a completion is."""

    name = "nginx"
    max_rate = 500
    idle_streams = 10_000
    start_runs = 5

    def missing(self) -> str | None:
        """Whether the upstream's own program is there is checked before."""
        return None if shutil.which("nginx") else "nginx is not installed"

    def version(self) -> str:
        """As it says itself."""
        said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False)
        return said.stderr.strip().rpartition("/")[2]

    def start(self, stage: Stage, *, pinned: bool = True) -> Running:
        """Start the master; its one worker is the gateway process."""
        port = free_port()
        folder = stage.folder / f"nginx-{port}"
        folder.mkdir()
        folder.chmod(0o755)
        config = folder / "nginx.conf"
        config.write_text(self._config(stage, port, folder))
        process = spawn(
            self.name,
            ["nginx", "-c", str(config), "-p", str(folder)],
            folder / "log",
            core=GATEWAY_CORE if pinned else None,
        )
        headers = {"authorization": f"Bearer {payload.KEY}"}
        wait_for_answer(process, port, headers, limit_s=10, streaming=stage.streaming)
        return Running(self.name, port, process, list(descendants(process.pid)), headers, [process.pid])

    def _config(self, stage: Stage, port: int, folder: Path) -> str:
        return CONFIG.format(
            folder=folder,
            upstream=stage.upstream_port,
            port=port,
            key=payload.KEY,
            scheme=stage.scheme,
            buffering="off" if stage.streaming else "on",
            tls=TLS.format(ca=stage.certificate.ca) if stage.scheme == "https" else "",
        )
