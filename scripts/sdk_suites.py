"""Run the vendors' own SDK test suites against a gateway in front of the simulator, and count.

python scripts/sdk_suites.py [openai|anthropic…] [--json FILE]

The suites are those of the source distributions; they send every optional field of every endpoint and check
that the answer is one of the SDK's own types. They are made for a mock that answers anything, so some of their
requests ask for objects that nobody has: docs/conformance.md says which classes fail here and why.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import venv
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.debian import run  # noqa: E402 - the script's folder is put on the path above
from scripts.test_tools import CACHE, TOOLS  # noqa: E402 - the same

KEYS = {"openai": "My API Key", "anthropic": "my-anthropic-api-key"}
CONFIG = """
version: 1
providers:
  sim: {kind: simulator}
routes:ROUTES
keys:
  - {name: openai, secret: My API Key, direct: true}
  - {name: anthropic, secret: my-anthropic-api-key, direct: true}
"""
_MODEL = re.compile(r'\bmodel(?:_id)?=\s*"([^"]+)"|\bretrieve\(\s*\n?\s*"([^"]+)"')
_COMMON = ("pytest", "pytest-asyncio", "pytest-timeout", "time-machine", "dirty-equals", "aiohttp", "rich")


@dataclass(frozen=True)
class Suite:
    """One package: its version, where its tests lie, and what they need."""

    name: str
    version: str
    base: str
    paths: tuple[str, ...]
    needs: tuple[str, ...] = field(default=())


SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            "openai",
            "3.52.0",
            "/v1",
            (
                "chat",
                "responses",
                "test_responses.py",
                "test_completions.py",
                "test_embeddings.py",
                "test_models.py",
            ),
            ("httpx-aiohttp",),
        ),
        Suite(
            "anthropic",
            "2.11.0",
            "",
            ("messages", "test_messages.py", "test_models.py"),
            (
                "respx",
                "http-snapshot[httpx]==0.1.9",
                "inline-snapshot",
                "boto3",
                "google-auth",
                "httpx-aiohttp",
            ),
        ),
    )
}


def prepare(suite: Suite) -> Path:
    """The unpacked source, with an environment beside it that has it and what its tests need."""
    folder = CACHE / f"suite-{suite.name}-{suite.version}"
    source = folder / f"{suite.name}-{suite.version}"
    if (folder / ".ready").exists():
        return source
    folder.mkdir(parents=True, exist_ok=True)
    print(f"sdk suites: fetching {suite.name} {suite.version}", flush=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    fetched = (f"{suite.name}=={suite.version}", "--no-deps", "--no-binary", suite.name, "--dest", folder)
    run(*pip, "download", *fetched)
    run("tar", "-xzf", folder / f"{suite.name}-{suite.version}.tar.gz", "-C", folder)
    venv.create(folder / "env", with_pip=False)
    uv = TOOLS["uv"].ensure() / "bin" / "uv"
    python = folder / "env" / "bin" / "python"
    wanted = (f"{suite.name}[aiohttp]=={suite.version}", *_COMMON, *suite.needs)
    run(uv, "pip", "install", "--quiet", "--python", python, *wanted)
    (folder / ".ready").touch()
    return source


def routes(suite: Suite, source: Path) -> str:
    """Every model that the suite names, as a route to the simulator."""
    found: set[str] = set()
    for path in suite.paths:
        place = source / "tests" / "api_resources" / path
        for file in place.rglob("*.py") if place.is_dir() else [place]:
            found.update(one or other for one, other in _MODEL.findall(file.read_text()))
    names = [name for name in sorted(found) if name and "/" not in name]
    return "".join(f"\n  {json.dumps(name)}: {{policy: sim/tiny}}" for name in names)


def play(suite: Suite) -> dict[str, Any]:
    """Run one suite; its counts, and the names of what failed by class."""
    from penstock.testing.gateway import GatewayThread  # noqa: PLC0415 - `--help` needs no gateway
    from penstock.testing.simulator import SimulatorThread  # noqa: PLC0415 - same

    source = prepare(suite)
    report = source.parent / "report.xml"
    with ExitStack() as stack:
        simulator = stack.enter_context(SimulatorThread())
        config = CONFIG.replace("ROUTES", routes(suite, source))
        gateway = stack.enter_context(GatewayThread(config, urls={"simulator": simulator.url + "/v1"}))
        paths = [f"tests/api_resources/{path}" for path in suite.paths]
        options = ["-q", "-p", "no:cacheprovider", "--timeout", "60", f"--junitxml={report}", "-o", "addopts="]
        env = {**os.environ, "TEST_API_BASE_URL": gateway.url + suite.base}
        command = [source.parent / "env" / "bin" / "python", "-m", "pytest", *options, *paths]
        done = subprocess.run(command, cwd=source, env=env, check=False, capture_output=True, text=True)
    if not report.exists():
        raise SystemExit(f"{suite.name}: its tests did not run\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return counted(report)


def counted(report: Path) -> dict[str, Any]:
    """Counts, and for each class of a failing test the reasons with how many they are."""
    totals: Counter[str] = Counter()
    failing: dict[str, Counter[str]] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        bad = case.find("failure")
        bad = case.find("error") if bad is None else bad
        kind = "failed" if bad is not None else "skipped" if case.find("skipped") is not None else "passed"
        totals[kind] += 1
        if bad is not None:
            method = re.sub(
                r"^test_(method|raw_response|streaming_response|path_params)_?|\[.*", "", case.get("name", "")
            )
            name = f"{case.get('classname', '').split('api_resources.')[-1]}.{method}"
            reason = re.sub(r"req_\w+|0x\w+", "…", (bad.get("message") or "").split("\n")[0])[:160]
            failing.setdefault(name, Counter())[reason] += 1
    return {**totals, "failing": {name: dict(reasons) for name, reasons in sorted(failing.items())}}


def main() -> int:
    """Run the chosen suites and print what became of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("suites", nargs="*", metavar="suite", help=f"which; {', '.join(SUITES)}, or all")
    parser.add_argument("--json", type=Path, help="write the counts and reasons to this file")
    given = parser.parse_args()
    results: dict[str, Any] = {}
    for name in given.suites or SUITES:
        results[name] = play(SUITES[name])
        told = ", ".join(f"{results[name].get(kind, 0)} {kind}" for kind in ("passed", "failed", "skipped"))
        print(f"{name} {SUITES[name].version}: {told}")
        for case, reasons in results[name]["failing"].items():
            print(f"  {case}")
            for reason, count in reasons.items():
                print(f"    {count}: {reason}")
    if given.json is not None:
        given.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
