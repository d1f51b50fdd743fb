"""Prepare tools that tests use beyond Python packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def ensure_nginx() -> str | None:
    """The path of nginx, installed by apt where we may; otherwise says what is missing and gives None.

    Under `CI=true` a missing nginx ends the process: there a test must not be skipped in silence.
    """
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None and os.geteuid() == 0 and (apt := shutil.which("apt-get")) is not None:
        subprocess.run([apt, "update", "-qq"], check=False)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = [apt, "install", "-y", "-qq", "--no-install-recommends", "nginx-light"]
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
        found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if found is None:
        print("nginx is missing (Debian: apt-get install nginx-light); the differential test is skipped")
        if os.environ.get("CI") == "true":
            sys.exit("CI=true: a missing tool is a failure")
    return found


if __name__ == "__main__":
    ensure_nginx()
