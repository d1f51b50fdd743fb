"""Write docs/errors.md from the codes in core/errors."""

from __future__ import annotations

import sys
from pathlib import Path

from penstock.core.errors import CODES

DOCS_FILE = Path(__file__).resolve().parent.parent / "docs" / "errors.md"

INTRO = """\
# Errors

<!-- Made from src/penstock/core/errors.py by scripts/generate_errors_doc.py. -->

What Penstock refuses by itself has a `code` that programs may rely on: codes are added, and never renamed or
reused within a major version. The sentence beside it is for people and may change. In OpenAI's dialect:

```json
{"error": {"message": "…", "type": "…", "param": null, "code": "budget_exceeded", "request_id": "req_…"}}
```

- The request id also stands in the header `x-penstock-request-id`, and in the ledger.
- `429` and `503` carry `Retry-After` in seconds; waiting that long is worth it. Where the account at the
  provider is used up it is not: then there is none, and `x-should-retry: false` instead.
- A spent budget is `402` with `x-should-retry: false`, because waiting is not.
- An error of the provider itself (a 400 about a parameter, say) passes with its own status and body, secrets
  removed.
- Where several targets were tried, the message names each with its cause.
- After the first bytes of a stream the status is sent already: the error is the stream's last event.

| code | status | kind | meaning |
|---|---|---|---|
"""


def errors_text() -> str:
    """The whole document, by status and then by name."""
    rows = [
        f"| `{code}` | {status} | {kind.replace('_', ' ')} | {meaning} |"
        for code, (status, kind, meaning) in sorted(CODES.items(), key=lambda item: (item[1][0], item[0]))
    ]
    return INTRO + "\n".join(rows) + "\n"


def main() -> int:
    """Write the file."""
    DOCS_FILE.write_text(errors_text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
