"""A machine that follows control: over TLS, with a shared secret, and with what it had when control is away."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from penstock.bootstrap.fleet import FleetServer
from penstock.bootstrap.follower import FollowError, Following
from penstock.bootstrap.plan_source import snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.compile.targets import CompileError
from penstock.config.document import Document, Provider, Secret, Server, Tls
from penstock.config.load import ConfigError, load_text
from penstock.config.snapshot import Snapshot, make_snapshot, read_snapshot
from penstock.ports.fleet import FleetError
from tests.transport.certificates import Authority

TOKEN = "a secret that two machines share"
ENV = {"PENSTOCK_MASTER_KEY": "ab" * 32}


def free_address() -> str:
    """A loopback address that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


def snapshot(key: str) -> Snapshot:
    """A configuration with a credential."""
    provider = Provider(kind="openai", api_key=Secret.template(key))
    return make_snapshot(Document(providers={"openai": provider}), {}, 1_900_000_000_000)


class Control:
    """Control's address, and files for whoever follows it."""

    def __init__(self, folder: Path) -> None:
        self.address = free_address()
        self.ca_file = folder / "ca.pem"
        authority = Authority()
        self.ca_file.write_bytes(authority.pem)
        for name, content in zip(("cert", "key"), authority.pair("localhost"), strict=True):
            (folder / f"{name}.pem").write_bytes(content)
        tls = Tls(cert=str(folder / "cert.pem"), key=str(folder / "key.pem"))
        server = Server(control_listen=self.address, control_token=Secret.literal(TOKEN), tls=tls)
        self.server = FleetServer(server, {})
        self.server.listen()
        self.trust: ssl.SSLContext = authority.client()
        self.folder = folder

    def follower(self, *, token: str = TOKEN, ca_file: str | None = None, folder: str = "state") -> Following:
        """A machine that follows."""
        state = StateDir(self.folder / folder)
        state.create()
        server = Server(
            listen="127.0.0.1:7",
            control_url=f"https://localhost:{self.address.rpartition(':')[2]}",
            control_token=Secret.literal(token),
            control_ca_file=ca_file or str(self.ca_file),
        )
        return Following(state, Document(server=server), ENV)

    def on_disk(self) -> Snapshot:
        """What gateways of the following machine read."""
        state = StateDir(self.folder / "state")
        return read_snapshot(state.snapshot, snapshot_box(state, ENV))


@contextmanager
def control(folder: Path) -> Generator[Control]:
    """Control, listening."""
    made = Control(folder)
    try:
        yield made
    finally:
        made.server.close()


def test_the_newest_configuration_is_kept_on_disk(tmp_path: Path) -> None:
    """It is taken over TLS, and gateways find it with this machine's own address."""
    with control(tmp_path) as house:
        following = house.follower()
        assert not following.follower.follow(0.0)
        sent = snapshot("sk-one")
        house.server.fleet.publish(sent, 1)
        assert following.follower.follow(5.0)
        assert house.on_disk().revision == sent.revision
        assert house.on_disk().document.providers == sent.document.providers
        assert house.on_disk().document.server.listen == "127.0.0.1:7"
        assert not following.follower.follow(0.0)
        # After a restart it is known what is on disk.
        assert not house.follower().follower.follow(0.0)


def test_what_cannot_be_put_to_work_replaces_nothing(tmp_path: Path) -> None:
    """A credential that this machine's environment lacks is said, and the configuration before goes on."""
    with control(tmp_path) as house:
        following = house.follower()
        first = snapshot("sk-one")
        house.server.fleet.publish(first, 1)
        following.follower.follow(5.0)
        house.server.fleet.publish(snapshot("${NOT_ON_THIS_MACHINE}"), 2)
        with pytest.raises(CompileError, match="NOT_ON_THIS_MACHINE"):
            following.follower.follow(5.0)
        assert house.on_disk().revision == first.revision


def test_strangers_are_refused_on_both_sides(tmp_path: Path) -> None:
    """Another secret, another authority, no secret: each is said in a sentence that helps."""
    with control(tmp_path) as house:
        house.server.fleet.publish(snapshot("sk-one"), 1)
        with pytest.raises(FleetError, match=r"does not know this server\.control_token"):
            house.follower(token="a secret that nobody else has").follower.follow(0.0)
        other = tmp_path / "other.pem"
        other.write_bytes(Authority().pem)
        with pytest.raises(FleetError, match="certificate verify failed"):
            house.follower(ca_file=str(other)).follower.follow(0.0)
        with pytest.raises(FollowError, match="has less than 24 characters"):
            house.follower(token="short")
        assert not (tmp_path / "state" / "snapshot").exists()
        host, _, port = house.address.rpartition(":")
        assert host == "127.0.0.1"
        for headers, status in (({}, 401), ({"authorization": "Bearer x"}, 401)):
            with closing(http.client.HTTPSConnection("localhost", int(port), context=house.trust)) as stranger:
                stranger.request("POST", "/fleet/v1/snapshot", "{}", headers)
                assert stranger.getresponse().status == status


def test_control_refuses_what_is_no_question(tmp_path: Path) -> None:
    """A body that is too large or not of the right shape, and paths that are not there."""
    from penstock.adapters.fleet.seal import FleetToken  # noqa: PLC0415 - for this credential alone

    with control(tmp_path) as house:
        headers = {"authorization": f"Bearer {FleetToken(TOKEN).bearer}"}
        for path, body, status in (
            ("/fleet/v1/gateways", "x" * 300_000, 413),
            ("/fleet/v1/gateways", json.dumps({"machine": 1}), 400),
            ("/fleet/v1/snapshot", "", 400),
            ("/admin/api/whoami", "", 404),
        ):
            port = int(house.address.rpartition(":")[2])
            with closing(http.client.HTTPSConnection("localhost", port, context=house.trust)) as connection:
                connection.request("POST", path, body, headers)
                assert connection.getresponse().status == status


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("control_url: 'https://c:1'", "needs server.control_token"),
        ("control_url: 'http://c:1', control_token: x", "asked over TLS alone"),
        ("control_listen: '0.0.0.0:1', control_token: x", "answered over TLS alone"),
        ("control_listen: '127.0.0.1:1'", "needs server.control_token"),
        (
            "control_listen: '127.0.0.1:1', control_url: 'http://localhost:1', control_token: x",
            "cannot ask control itself",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_said(server: str, message: str) -> None:
    """`penstock check` refuses what would be unsafe or without effect."""
    with pytest.raises(ConfigError, match=message):
        load_text(f"version: 1\nserver: {{{server}}}\n", {})
