"""Answers that a browser or a shell would run: active HTML, script addresses, escapes, destructive commands.

Model output is untrusted wherever it is shown (OWASP LLM05:2025, Improper Output Handling). HTML is looked at
as the WHATWG standard parses it: elements that run or load, attributes that are event handlers, addresses that
are scripts. What stands in a fenced block of code is shown and not run; it is left alone unless `in_code` is
said.
"""

from __future__ import annotations

import html
import re
from typing import Final

from penstock.guardrails.scanning import PatternSet, SpanPattern
from penstock.guardrails.spans import disjoint
from penstock.ports.guardrail import Finding, Role

HTML: Final = "UNSAFE_HTML"
CODE: Final = "UNSAFE_CODE"
ESCAPES: Final = "TERMINAL_ESCAPE"
KINDS: Final = frozenset({HTML, CODE, ESCAPES})
_ROWS: Final = (
    # WHATWG HTML, 4.12 scripting; 4.8.5 iframe, 4.8.6 embed, 4.8.7 object; 4.2.3 base, 4.2.5 meta refresh.
    (
        HTML,
        r"(?i)(<(?:script|iframe|object|embed|applet|base|frame|frameset|portal)\b[^>]{0,500}>?)",
        0.9,
        "element",
    ),
    (HTML, r"(?i)(<meta\b[^>]{0,200}http-equiv\s*=\s*[\"']?refresh[^>]{0,200}>?)", 0.9, "element"),
    (
        HTML,
        r"(?i)(<(?:form|input|button)\b[^>]{0,300}\b(?:action|formaction)\s*=[^>]{0,300}>?)",
        0.7,
        "element",
    ),
    # WHATWG HTML, 8.1.8.1 event handlers; SVG 2, 15.
    (HTML, r"(?i)(<[a-z][a-z0-9\-]{0,30}\b[^>]{0,500}?[\s/\"']on[a-z]{3,24}\s*=[^>]{0,500}>?)", 0.9, "handler"),
    (
        HTML,
        (
            r"(?i)(<[a-z][^>]{0,300}\b(?:href|src|action|data|xlink:href)\s*=\s*[\"']?\s*(?:javascript|"
            r"vbscript|data:text/html)[^>]{0,300}>?)"
        ),
        0.95,
        "script_address",
    ),
    (HTML, r"(?i)(\]\(\s*<?(?:javascript|vbscript|data:text/html)[^)\s]{0,500}\)?)", 0.95, "script_address"),
    (
        HTML,
        r"(?i)(<svg\b[^>]{0,300}>\s{0,20}<(?:script|animate|set|foreignobject)\b[^>]{0,300}>?)",
        0.9,
        "element",
    ),
    (HTML, r"(?i)(<[a-z][^>]{0,200}\bsrcdoc\s*=[^>]{0,300}>?)", 0.9, "element"),
    # ECMA-48 5.4 control sequences, and OSC 8, 52: links and the clipboard of a terminal.
    (
        ESCAPES,
        r"(\x1b(?:\[[0-9;?]{0,32}[A-Za-z]|\][0-9]{1,4};[^\x07\x1b]{0,900}(?:\x07|\x1b\\)?|[PX^_]))",
        0.9,
        "control",
    ),
    # POSIX utilities and what the GNU and Windows manuals say of these options.
    (
        CODE,
        (
            r"(\brm\s+(?:-[a-zA-Z]+\s+|--[a-z\-]+\s+){1,4}(?:--\s+)?(?:/|~|\$HOME|\*|\.\.?)(?:\s|/?\*|$|[;&|"
            r"`'\")]))"
        ),
        0.9,
        "destructive",
    ),
    (
        CODE,
        r"(\b(?:curl|wget|fetch|iwr|invoke-webrequest)\b[^\n|;]{1,300}\|\s{0,4}(?:sudo\s+)?(?:ba|z|k|da)?sh\b)",
        0.85,
        "download_and_run",
    ),
    (
        CODE,
        r"(?i)(\b(?:iex|invoke-expression)\b[^\n]{0,200}\b(?:downloadstring|iwr|invoke-webrequest)\b)",
        0.9,
        "download_and_run",
    ),
    (CODE, r"(:\(\)\s?\{\s?:\|:&\s?\};:)", 0.99, "destructive"),
    (
        CODE,
        (
            r"(\b(?:mkfs(?:\.\w+)?|wipefs)\s+[^\n]{0,60}/dev/\w+|\bdd\s+[^\n]{0,120}\bof=/dev/(?:sd|nvme|hd|"
            r"disk)\w*)"
        ),
        0.9,
        "destructive",
    ),
    (CODE, r"(>\s?/dev/(?:sd|nvme|hd)[a-z0-9]+|\bchmod\s+-R\s+0?777\s+/(?:\s|$))", 0.85, "destructive"),
    (
        CODE,
        (
            r"(\b(?:bash|sh)\s+-i\s+>&?\s?/dev/tcp/[^\s]{1,80}|"
            r"\bnc(?:at)?\s+(?:-[a-z]+\s+){0,3}-e\s+/bin/(?:ba)?sh)"
        ),
        0.95,
        "remote_shell",
    ),
    (
        CODE,
        (
            r"(?i)(\b(?:drop\s+(?:table|database|schema)|truncate\s+table)\s+[\w.\"`\[\]]{1,80}|"
            r"\bdelete\s+from\s+[\w.\"`]{1,80}\s*;)"
        ),
        0.6,
        "destructive",
    ),
    (
        CODE,
        (
            r"(?i)(\bformat\s+[a-z]:\s*/[a-z]|\bdel\s+/[fsq]\b[^\n]{0,20}[a-z]:"
            r"\\|\bremove-item\b[^\n]{0,60}-recurse[^\n]{0,60}(?:[a-z]:\\|/)(?:\s|$|\*))"
        ),
        0.85,
        "destructive",
    ),
    (
        CODE,
        (
            r"(\b(?:pickle|marshal)\.loads?\(\s*(?:requests|urllib|response|data|r\.content)[^\n]{0,80}|"
            r"\b(?:eval|exec)\(\s*(?:input|request|requests|response|urllib|base64)[^\n]{0,80})"
        ),
        0.7,
        "untrusted_code",
    ),
)
_FENCE: Final = re.compile(r"^(?:```|~~~).*?(?:^(?:```|~~~)\s*$|\Z)|`[^`\n]{1,300}`", re.DOTALL | re.MULTILINE)


class UnsafeOutputDetector:
    """Finds what would run where the answer is shown or pasted.

    `in_code` also looks into fenced blocks and code spans for HTML; commands are looked for everywhere, since
    blocks of code are what people paste into a shell.
    """

    __slots__ = ("_in_code", "_rows", "_set", "look_behind", "threshold")

    def __init__(self, threshold: float = 0.65, *, in_code: bool = False) -> None:
        self.threshold = threshold
        self._in_code = in_code
        rows = [each for each in _ROWS if each[2] >= threshold]
        self._rows = [(kind, SpanPattern(pattern), score, reason) for kind, pattern, score, reason in rows]
        self._set = PatternSet([pattern for _, pattern, _, _ in rows])
        self.look_behind = 2_048

    def look(self, text: str, role: Role) -> list[Finding]:
        """Spans in what a model says or calls a tool with."""
        if role not in ("assistant", "tool_call"):
            return []
        hits = self._set.found(text.encode("utf-8", "replace"))
        if not hits:
            return []
        shown = [] if self._in_code else [match.span() for match in _FENCE.finditer(text)]
        found: list[Finding] = []
        for index in hits:
            kind, pattern, score, reason = self._rows[index]
            for start, end in pattern.spans(text):
                if kind != HTML or not any(first <= start < last for first, last in shown):
                    found.append(Finding(start, end, kind, score, reason))
        return disjoint(found)


def escaped(text: str, findings: list[Finding]) -> str:
    """The text with the spans of HTML escaped, so that they are shown instead of run; the rest as it was."""
    out: list[str] = []
    at = 0
    for each in findings:
        if each.kind == HTML:
            out += [text[at : each.start], html.escape(text[each.start : each.end])]
            at = each.end
    return "".join([*out, text[at:]])
