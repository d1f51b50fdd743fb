"""nginx in front of several gateways: it keeps connections to them, and has no health checks."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.test_tools import find_nginx
from tests.clients.needed import needed
from tests.service.service import free_port, until

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream gateways {{
    {servers}
    keepalive 32;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://gateways;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      # A gateway that is not there is passed over; a request that was sent is never sent again.
      proxy_next_upstream error timeout;
      proxy_connect_timeout 60s;
    }}
  }}
}}
"""


class Balancer:
    """Spreads requests over the gateways at these ports, until the block ends."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        needed("nginx")
        self.port = free_port()
        self._folder = folder / "nginx"
        self._folder.mkdir()
        servers = "\n    ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
        user = "user root;" if Path("/proc/self").stat().st_uid == 0 else ""
        text = CONFIG.format(folder=self._folder, servers=servers, port=self.port, user=user)
        (self._folder / "nginx.conf").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        command = [str(find_nginx()), "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until(self._listens)
        return self

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()
        except OSError:
            return False
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    @property
    def complaints(self) -> str:
        """What it logged beside gateways that were not there."""
        lines = (self._folder / "nginx.log").read_text().splitlines()
        return "\n".join(line for line in lines if "Connection refused" not in line and "[notice]" not in line)
