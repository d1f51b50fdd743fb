"""Fill the README's table of measures from bench/results/latest.json.

`python -m bench` writes that file; its ids are those of bench/report/goals.py. A measure that was not taken
keeps its dash, and a goal that was missed is said to be missed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "bench" / "results" / "latest.json"
START, END = "<!-- bench:start -->", "<!-- bench:end -->"

# id, what it is, the goal, how a value is written.
MEASURES = (
    ("relay.https", "requests/s against a bare byte relay, HTTPS upstream", "≥ 0.45", "{:.2f}"),
    ("relay.http", "requests/s against a bare byte relay, HTTP upstream", "≥ 0.45", "{:.2f}"),
    ("litellm.https", "requests/s against LiteLLM's proxy, HTTPS upstream", "≥ 200 times", "{:.0f} times"),
    ("portkey.https", "requests/s against Portkey's gateway, HTTPS upstream", "≥ 15 times", "{:.1f} times"),
    ("cpu.https", "CPU per request, HTTPS upstream", "≤ 85 µs", "{:.0f} µs"),
    ("cpu.http", "CPU per request, HTTP upstream", "≤ 55 µs", "{:.0f} µs"),
    ("latency.p50", "latency added at 500 requests/s, p50", "≤ 0.25 ms", "{:.2f} ms"),
    ("latency.p99", "latency added at 500 requests/s, p99", "≤ 1 ms", "{:.2f} ms"),
    ("chunk.cpu", "CPU per relayed chunk of a stream", "≤ 30 µs", "{:.0f} µs"),
    ("idle.https", "memory per open idle stream, TLS upstream", "≤ 80 kB", "{:.0f} kB"),
    ("idle.http", "memory per open idle stream, plain upstream", "≤ 30 kB", "{:.0f} kB"),
    ("start", "start to first answered request", "≤ 1 s", "{:.2f} s"),
)
UNMEASURED = "Not measured yet: `make bench` measures, and `python scripts/readme_bench.py` fills the column."


def table(results: dict[str, Any] | None) -> str:
    """What stands between the markers."""
    if results is None:
        intro, found = UNMEASURED, {}
    else:
        found = {each["id"]: each for each in results["targets"]}
        machine = results["machine"]
        kind = "virtual machine" if machine["virtual"] else "machine"
        intro = (
            f"Measured on {machine['date'][:10]} on a {kind} with {machine['cores']} cores "
            f"({machine['cpu']}).\n"
            "[bench/results/latest.md](bench/results/latest.md) has the method and every number."
        )
    rows = [f"| {label} | {goal} | {_cell(found.get(name), form)} |" for name, label, goal, form in MEASURES]
    head = ["| measure, on one core, everything on | goal | measured |", "|---|---|---|"]
    return "\n".join([START, intro, "", *head, *rows, END])


def _cell(result: dict[str, Any] | None, form: str) -> str:
    if result is None or result.get("value") is None:
        return "-"
    text = form.format(result["value"])
    return text if result.get("met") else f"{text} (missed)"


def filled(readme: str, results: dict[str, Any] | None) -> str:
    """The README with its table made anew.

    Raises:
        ValueError: the markers are missing.
    """
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the README lost its markers {START} and {END}")
    return before + table(results) + after


def main() -> int:
    """Write the table; with `--check` only say whether it is current."""
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else None
    old = README.read_text("utf-8")
    new = filled(old, results)
    if "--check" in sys.argv[1:]:
        return int(old != new)
    README.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
