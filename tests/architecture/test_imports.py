"""What the processes load: the gateway only what a request needs."""

from __future__ import annotations

import subprocess
import sys

FORBIDDEN = frozenset(
    {
        "alembic",
        "botocore",
        "click",
        "cryptography",
        "genai_prices",
        "google.auth",
        "httpx",
        "jinja2",
        "jsonschema_rs",
        "litestar",
        "mako",
        "numpy",
        "onnx",
        "onnxruntime",
        "opentelemetry",
        "presidio_analyzer",
        "psycopg",
        "pydantic",
        "rich",
        "ruamel",
        "sqlalchemy",
        "sqlite3",
        "tokenizers",
        "usearch",
        "uvicorn",
    }
)


def _loaded(module: str) -> set[str]:
    """The names in sys.modules of a fresh interpreter that imported one module."""
    code = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_the_gateway_imports_nothing_that_a_request_does_not_need() -> None:
    """No ORM, templates, telemetry SDK, models, vendors' SDKs, or command line in the data plane."""
    assert _loaded("penstock.bootstrap.gateway") & FORBIDDEN == set()


def test_the_supervisor_needs_no_command_line_library() -> None:
    """Parts of `serve` that live as long as the gateway stay small."""
    assert _loaded("penstock.bootstrap.supervisor") & (FORBIDDEN - {"sqlite3"}) == set()


def test_serving_starts_without_the_control_planes_libraries() -> None:
    """`penstock serve` publishes its first snapshot from files; control imports them when gateways are up."""
    loaded = _loaded("penstock.cli.serve") | _loaded("penstock.bootstrap.control")
    assert loaded & {"alembic", "httpx", "litestar", "psycopg", "sqlalchemy", "uvicorn"} == set()


def test_a_clouds_library_is_imported_when_it_is_first_needed() -> None:
    """The credentials process starts without them, so that it can say which one is missing."""
    assert _loaded("penstock.bootstrap.credentials") & {"botocore", "google.auth"} == set()


def test_the_package_itself_imports_nothing() -> None:
    """`import penstock` is free: it gives the version."""
    ours = {name for name in _loaded("penstock") if name.startswith("penstock.")}
    assert ours == set()
