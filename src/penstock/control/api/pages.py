"""What a browser shows where a login went wrong: one small page without scripts."""

from __future__ import annotations

from html import escape

from penstock.control.api.requests import AnyRequest
from penstock.control.problems import Denied

PAGE_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
}
_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Not logged in</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:10vh auto;padding:0 1rem;color:#1a1a1a;\
background:#fff}}code{{overflow-wrap:anywhere}}@media(prefers-color-scheme:dark){{body{{color:#eee;\
background:#161616}}a{{color:#9cf}}}}</style></head>
<body><main><h1>You are not logged in</h1><p>{title}</p><p>{detail}</p>
<p><a href="{again}">Ways to log in</a></p><p><small>{code} · request <code>{request}</code></small></p>
</main></body></html>
"""


def is_browser(request: AnyRequest) -> bool:
    """Whether somebody looks at the answer."""
    return "text/html" in request.headers.get("accept", "")


def refusal_page(denied: Denied, request_id: str, again: str) -> str:
    """The refusal for people. Everything in it is escaped: some of it is a provider's text."""
    return _PAGE.format(
        title=escape(denied.title),
        detail=escape(denied.detail),
        code=escape(denied.code),
        request=escape(request_id),
        again=escape(again),
    )
