"""Stands in for curl on a machine that has none: the options that the README uses."""

from __future__ import annotations

import argparse
import http.client
import sys
from urllib.parse import urlsplit


def main() -> int:
    """One request; the answer goes to the standard output."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true", dest="silent")
    parser.add_argument("-i", action="store_true", dest="heads")
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", dest="data")
    options = parser.parse_args()
    url = urlsplit(str(options.url))
    given: list[str] = options.headers
    data: str | None = options.data
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    headers = dict(line.split(": ", 1) for line in given)
    body = data.encode() if data is not None else None
    connection.request("GET" if body is None else "POST", url.path, body, headers)
    answer = connection.getresponse()
    if options.heads:
        lines = (f"{name}: {value}\n" for name, value in answer.getheaders())
        sys.stdout.write(f"HTTP/1.1 {answer.status} {answer.reason}\n{''.join(lines)}\n")
    sys.stdout.write(answer.read().decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
