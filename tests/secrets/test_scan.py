"""No secret anywhere: planted in every place where one can stand, then every byte that comes out is searched.

Searched are the state directory (compressed segments opened), both outputs of all processes, their command
lines, all HTTP answers, what webhooks and a proxy's log would see, reprs of documents, Plans and everything
compiled, tracebacks, and a crash with faulthandler. Each secret is looked for as it is, in base64 at each
offset, URL-encoded, and as JSON escapes it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from penstock.adapters.secrets.keyring import Keyring, PurposeBox
from penstock.adapters.secrets.master import LocalMaster
from penstock.adapters.secrets.vault import VaultClient
from penstock.bootstrap.control import vault_place
from penstock.bootstrap.worker import alert_settings
from penstock.compile.access import sources_of
from penstock.compile.plan import compile_plan
from penstock.config.document import Document, Secret, SecretError, shown
from penstock.config.load import ConfigError, load_text
from penstock.config.snapshot import make_snapshot, with_fetched
from penstock.core.price_book import PriceBook
from tests.alerts.receiver import KEY as SIGNING_KEY
from tests.alerts.receiver import SECRET as SIGNING_SECRET
from tests.alerts.receiver import Receiver
from tests.credentials.endpoints import Endpoint
from tests.credentials.google import TokenEndpoint
from tests.secrets.planted import (
    CONFIG,
    MASTER,
    PLANTED,
    Echo,
    World,
    chat,
    files_of,
    found_in,
    repeated,
)
from tests.secrets.vault import FakeVault
from tests.service.service import Service, until
from tests.translation.upstream import CannedUpstream


def test_the_search_finds_what_is_there() -> None:
    """Each encoding of a planted text is found within other text."""
    for name, text in PLANTED.items():
        for pad in ("", "a", "ab"):
            written = (
                *(text, quote(text), json.dumps({"a": text})),
                base64.b64encode(f"{pad}{text}xyz".encode()).decode(),
                base64.urlsafe_b64encode(f"{pad}{text}xyz".encode()).decode(),
            )
            for each in written:
                assert found_in(f"before {each} after".encode(), PLANTED) == [name], (name, each)


def drive(world: World, service: Service) -> set[int]:
    """Successes and failures of each kind; the statuses that were seen."""
    dev, other = PLANTED["virtual_key"], PLANTED["other_key"]
    models = ["literal/m", "env/m", "file/m", "default/m", "vault/m", "down/m", "aws/m", "google/m", "entra/m"]
    models += [f"{name}/{status}" for name in ("literal", "vault", "file") for status in (400, 401, 429, 500)]
    models += ["none/m", "literal"]
    seen = {world.ask(service, "/v1/chat/completions", other, chat(model)) for model in models}
    streamed = {**chat("literal/401"), "stream": True}
    seen |= {
        world.ask(service, "/v1/chat/completions", other, streamed),
        world.ask(service, "/v1/chat/completions", PLANTED["wrong_key"], chat("literal")),
        world.ask(service, "/v1/chat/completions", other, b'{"model": "literal/m", "model": '),
        world.ask(service, "/v1/messages", other, {**chat("literal/m"), "nonsense": 1}),
        world.ask(service, "/v1/chat/completions", dev, chat("priced")),
        world.ask(service, "/v1/chat/completions", dev, {**chat("priced"), "max_tokens": 8000}),
        world.ask(service, "/v1/nothing", other, {}),
    }
    return seen


def crash(world: World, service: Service) -> None:
    """Processes that die: killed with a dump, and by an exception that nobody expected."""
    for role in ("gateway", "worker", "control", "credentials"):
        before = service.output.read_text().count("Fatal Python error: Aborted")
        os.kill(service.pid(role), signal.SIGABRT)
        until(lambda before=before: service.output.read_text().count("Fatal Python error: Aborted") > before)
    env = {**os.environ, **world.env, "PENSTOCK_STATE_DIR": str(service.state), "PENSTOCK_LISTEN_FD": "99"}
    for role in ("gateway", "simulator"):
        module = "penstock.simulator.child" if role == "simulator" else f"penstock.bootstrap.{role}"
        done = subprocess.run(
            [sys.executable, "-m", module], env=env, capture_output=True, check=False, timeout=60
        )
        assert b"Traceback" in done.stderr
        world.said.append(done.stdout + done.stderr)
    for words in (("config", "show"), ("secrets", "status"), ("alerts", "list"), ("secrets", "rotate")):
        command = [sys.executable, "-m", "penstock.cli", *words, "--state-dir", str(service.state)]
        done = subprocess.run(command, env=env, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        world.said.append(done.stdout + done.stderr)


def command_lines(service: Service) -> bytes:
    """What anybody on the machine can see of the processes."""
    pids = [service.supervisor, *(service.pid(role) for role in ("gateway", "worker", "control"))]
    return b"\n".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)


def test_no_secret_comes_out_of_the_service(tmp_path: Path) -> None:
    """After successes, failures, reloads, rotation and crashes no secret is in anything that left a process."""
    pytest.importorskip("google.auth")
    with (
        CannedUpstream(Echo()) as upstream,
        FakeVault() as vault,
        Receiver() as receiver,
        TokenEndpoint() as endpoint,
        Endpoint(repeated) as authority,
    ):
        vault.roles[PLANTED["vault_role_id"]] = PLANTED["vault_secret_id"]
        vault.kv["secret/data/openai"] = {"key": PLANTED["vault_value"]}
        world = World(tmp_path, upstream.url, vault.url, receiver.url, authority.url, endpoint)
        with Service(tmp_path, world.config, world.env, world.authority.client()) as service:
            statuses = drive(world, service)
            assert {200, 400, 401, 404, 429, 502, 402} <= statuses, statuses
            until(lambda: bool(receiver.got) and "webhook bad: alert" in service.output.read_text())
            vault.sealed = True
            until(lambda: "it is sealed" in service.output.read_text())
            bad = world.config.replace("kind: openai", f"kinnd: {json.dumps(PLANTED['api_key'])}", 1)
            service.config.write_text(bad)
            until(lambda: "the configuration was refused" in service.output.read_text())
            service.config.write_text(world.config)
            crash(world, service)
            service.wait_ready()
            drive(world, service)
            world.said.append(command_lines(service))
            limits = Path(f"/proc/{service.pid('gateway')}/limits").read_text()
            assert re.search(r"Max core file size +0 ", limits), limits
        world.said.append(service.output.read_bytes())
    sent = [json.dumps(asked.headers).encode() for asked in upstream.asked]
    assert any("client_secret" in body for _, _, body in authority.asked)
    arrived = {name for each in sent for name in found_in(each, PLANTED)}
    assert {"api_key", "header", "env_key", "file_key", "default_key", "vault_value"} <= arrived
    told = [name for data in world.said for name in found_in(data, world.secrets)]
    kept = [(file, name) for file, data in files_of(service.state) for name in found_in(data, world.secrets)]
    assert (told, kept) == ([], [])
    assert not list(tmp_path.rglob("core*"))


def everything(text: str) -> Iterator[object]:
    """The document and all that is made of it."""
    env = with_fetched(
        {"ENV_KEY": PLANTED["env_key"], "OTHER_KEY": PLANTED["other_key"]},
        {"secret/data/openai#key": PLANTED["vault_value"]},
    )
    document = load_text(text, env, needs=())
    yield document
    yield compile_plan(
        document,
        revision="r",
        prices=PriceBook("none", {}),
        reveal=lambda secret: secret.resolve(env, lines=True),
        urls={},
        now_ms=0,
    )
    yield make_snapshot(document, env, 0, fetched={"secret/data/openai#key": PLANTED["vault_value"]})
    yield list(sources_of(document, lambda secret: secret.resolve(env, lines=True)))
    yield alert_settings(document, env).webhooks
    place = vault_place(document, env)
    yield from (place, VaultClient(place, lambda: 0.0))
    master = LocalMaster(MASTER)
    yield master
    yield PurposeBox(Keyring(Path("/nowhere"), lambda: master, lambda: 0), "snapshot")


def deep(value: object, seen: set[int]) -> Iterator[str]:
    """The repr of a value and of all that is reachable through fields and items, but for what secrets hold."""
    if id(value) in seen or isinstance(value, (str, bytes, int, float, Secret, type(None))):
        return
    seen.add(id(value))
    if type(value).__module__.startswith("penstock"):
        yield repr(value)
        yield str(value)
    parts: list[object] = []
    if isinstance(value, Mapping):
        parts = [each for pair in value.items() for each in pair]  # pyright: ignore[reportUnknownVariableType]
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = list(value)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, msgspec.Struct):
        parts = [getattr(value, name) for name in value.__struct_fields__]
    else:
        names = [*getattr(value, "__dict__", {}), *getattr(type(value), "__slots__", ())]
        parts = [getattr(value, name, None) for name in names]
    for part in parts:
        yield from deep(part, seen)


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    """Not of the document, the Plan, or any object within what is made of them; and not as JSON for people."""
    text = CONFIG.format(
        cert="c",
        key="k",
        folder=tmp_path,
        url="http://127.0.0.1:9",
        vault="http://127.0.0.1:9",
        authority="http://127.0.0.1:9",
        hook="http://127.0.0.1:9/hook",
        token=quote(PLANTED["webhook_token"], safe=""),
        signing=SIGNING_SECRET,
        account=json.dumps(json.dumps({"private_key": PLANTED["wrong_key"]})),
        **{name: json.dumps(value) for name, value in PLANTED.items()},
    )
    stores = f"database_url: {json.dumps(PLANTED['database'])}, redis_url: {json.dumps(PLANTED['redis'])}"
    text = text.replace("server: {tls", f"server: {{{stores}, tls")
    text = text.replace(
        "session_token:", f"role_arn: r, external_id: {json.dumps(PLANTED['aws_external'])}, session_token:"
    )
    (tmp_path / "file_key").write_text(PLANTED["file_key"])
    secrets = {
        **PLANTED,
        "master": base64.b64encode(MASTER).decode(),
        "signing": SIGNING_SECRET.removeprefix("whsec_"),
        "signing key": repr(SIGNING_KEY)[2:-1],
    }
    count = 0
    for each in everything(text):
        for shown_text in deep(each, set()):
            count += 1
            assert found_in(shown_text.encode(), secrets) == [], shown_text[:300]
        if isinstance(each, Document):
            assert found_in(msgspec.json.encode(each, enc_hook=shown), secrets) == []
    assert count > 50


def test_no_traceback_shows_a_secret() -> None:
    """What is wrong with a secret is said without it, in the whole chain of exceptions."""
    secret = PLANTED["api_key"]
    told: list[str] = []
    broken = [
        lambda: Secret.template(secret + "\n").resolve({}),
        lambda: Secret.template(f"{secret}${{NONE}}").resolve({}),
        lambda: load_text(f"keys: [{{name: a, secret: [{json.dumps(secret)}]}}]", {}),
        lambda: load_text(f"keys: [{{name: a, secret: {json.dumps(secret)}, {json.dumps(secret)}: 1}}]", {}),
        lambda: load_text(f"keys: [{{name: a, secret: {json.dumps(secret + '${')}}}]", {}),
        lambda: LocalMaster(MASTER[:31]),
    ]
    for act in broken[:3] + broken[4:]:
        try:
            act()
        except (SecretError, ConfigError, Exception) as error:  # noqa: BLE001 - whatever it is, it is shown
            told.append("".join(traceback.format_exception(error)))
    assert len(told) == 5
    frames = re.compile(r"^  File .*\n(?:    .*\n)*", re.MULTILINE)
    for each in told:
        assert found_in(frames.sub("", each).encode(), PLANTED) == [], each
