"""npm's oidc-provider in a process of its own, and a browser that logs in there."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import httpx
from joserfc.jwk import ECKey, RSAKey

from scripts.test_tools import node
from tests.clients.needed import needed

SCRIPT = Path(__file__).parent / "node" / "provider.mjs"
CLIENT_ID, SECRET = "penstock", "the client's secret, with a % and a :"
HOPS = 10


def signing_keys(kid: str) -> dict[str, Any]:
    """A private key set for RS256, which providers sign with unless told otherwise."""
    key = RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})
    return {"keys": [key.as_dict(private=True)]}


def elliptic_keys(kid: str) -> dict[str, Any]:
    """The same for ES256."""
    key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})
    return {"keys": [key.as_dict(private=True)]}


class RealProvider:
    """Runs until the block ends."""

    def __init__(self) -> None:
        folder = needed("oidc")
        self._process = subprocess.Popen(
            [str(node()), str(SCRIPT), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.url = self._line()
        self.jwks = signing_keys("first")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the provider has ended"
        return line

    def configure(
        self, back: str, accounts: dict[str, dict[str, Any]], *, in_id_token: bool = False, **client: Any
    ) -> None:
        """One client whose browsers come back to `back`, and people with their claims."""
        known = {
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "redirect_uris": [back],
            **client,
        }
        known = {name: value for name, value in known.items() if value is not None}
        said: dict[str, Any] = {
            "client": known,
            "accounts": accounts,
            "jwks": self.jwks,
            "inIdToken": in_id_token,
        }
        if "token_endpoint_auth_method" in client:
            said["methods"] = [client["token_endpoint_auth_method"]]
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        while self._line() != "ready":
            """The library has things to say, too."""

    def log_in(self, url: str, name: str, back: str, browser: httpx.Client | None = None) -> str:
        """Go where a login begins, fill in the form there; the address to which the browser is sent back."""
        with contextlib.ExitStack() as stack:
            browser = browser or stack.enter_context(httpx.Client(timeout=30))
            for _ in range(HOPS):
                if url.startswith(back):
                    return url
                answer = browser.get(url)
                if answer.status_code == 200:
                    form = {"prompt": "login", "login": name, "password": "any"}
                    answer = browser.post(urljoin(url, _action(answer.text)), data=form)
                assert answer.is_redirect, (answer.status_code, answer.text[:2000])
                url = urljoin(url, answer.headers["location"])
        raise AssertionError(f"no way back from {url}")

    def log_out(self, browser: httpx.Client) -> None:
        """End the browser's session at the provider, which tells its clients before it answers."""
        asked = browser.get(f"{self.url}/session/end")
        xsrf = re.search(r'name="xsrf" value="([^"]+)"', asked.text)
        assert xsrf is not None, asked.text[:500]
        form = {"xsrf": xsrf[1], "logout": "yes"}
        answer = browser.post(urljoin(self.url, _action(asked.text)), data=form)
        assert answer.status_code in (200, 302, 303), answer.text[:500]


def _action(page: str) -> str:
    found = re.search(r'<form[^>]* action="([^"]+)"', page)
    assert found is not None, page[:500]
    return found[1]
