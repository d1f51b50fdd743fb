"""`penstock simulate` as a process, and its options."""

from __future__ import annotations

import datetime as dt
import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from penstock.cli.simulate import simulate
from penstock.simulator.behaviour import NAMES

COMMAND = [sys.executable, "-c", "from penstock.cli.simulate import simulate; simulate()"]


@contextmanager
def running(*options: str) -> Generator[str]:
    """The URL of `penstock simulate --json`, which must end well on SIGTERM."""
    with subprocess.Popen([*COMMAND, "--json", *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait() == 0


def ask(url: str, model: str, context: ssl.SSLContext | None = None, key: str = "") -> str:
    """What the simulator says to "hello"."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()
    request = urllib.request.Request(f"{url}/v1/chat/completions", body, {"authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, context=context) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


def test_it_serves_until_told_to_stop() -> None:
    """One JSON line says where; flags change what names leave open; SIGTERM ends it with code 0."""
    with running("--behaviour", "tiny", "--api-key", "k") as url:
        assert ask(url, "gpt-4o", key="k") == "OK."
        assert ask(url, "echo", key="k") == "hello"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """A self-signed certificate for localhost: files of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = (tmp_path / "cert.pem", tmp_path / "key.pem")
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(files[0]), str(files[1])


def test_it_speaks_tls(certificate: tuple[str, str]) -> None:
    """With a certificate and key the URL is https, and a client that trusts it is served."""
    with running("--tls-cert", certificate[0], "--tls-key", certificate[1]) as url:
        assert url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=certificate[0])
        assert ask(url.replace("127.0.0.1", "localhost"), "echo", context) == "hello"


def test_the_help_lists_every_name() -> None:
    """Whoever asks for help sees each behaviour; `--list --json` gives them to programs."""
    runner = CliRunner()
    shown = runner.invoke(simulate, ["--help"]).output
    assert all(name.form in shown for name in NAMES)
    listed = json.loads(runner.invoke(simulate, ["--list", "--json"]).output)
    assert [each["name"] for each in listed] == [name.form for name in NAMES]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--listen", "8080"], "HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "HOST:PORT"),
        (["--behaviour", "nonsense"], "not in the list"),
        (["--tls-cert", "x"], "go together"),
    ],
)
def test_wrong_options_are_refused_with_a_sentence(options: list[str], says: str) -> None:
    """A wrong option ends with a code that is not 0 and says what is right."""
    result = CliRunner().invoke(simulate, options)
    assert result.exit_code != 0
    assert says in result.output


def test_a_port_in_use_is_an_error_with_its_address() -> None:
    """Where somebody else listens already, the command says so and ends."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = CliRunner().invoke(simulate, ["--listen", address])
    assert result.exit_code == 1
    assert f"cannot listen on {address}" in result.output
