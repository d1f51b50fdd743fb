"""When credentials are fetched, by a clock and by conditions; how they reach the gateways."""

from __future__ import annotations

import asyncio
import logging
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.adapters.credentials.desk import Desk
from penstock.adapters.credentials.feed import CredentialFeed
from penstock.adapters.credentials.library import NoCredentialError
from penstock.adapters.credentials.offers import offer_line, take, trouble_line
from penstock.adapters.credentials.refresher import Refresher
from penstock.bootstrap.credentials import fetch_for
from penstock.compile.access import sources_of
from penstock.config.load import load_text
from penstock.core.credentials import AwsCredentials, BearerToken, Credential, Signing
from penstock.core.errors import Refusal
from penstock.core.refresh import LASTING_S, MOST_S, refresh_in_s, retry_in_s
from penstock.upstream.credentials import CredentialTable

TOKEN = BearerToken("the-token", 0)


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
def test_a_credential_is_fetched_anew_well_before_its_end(draw: float) -> None:
    """After about half of what is left, at most an hour; ever sooner where nothing new is given."""
    assert 1_440 <= refresh_in_s(3_600, draw) <= 2_160
    assert refresh_in_s(10_000_000, draw) == MOST_S
    left, times = 3_600.0, 0
    while left > 30:
        left -= refresh_in_s(left, draw)
        times += 1
    assert 5 <= times <= 10
    assert refresh_in_s(0.0, draw) > 0
    assert 0.8 * LASTING_S <= refresh_in_s(None, draw) <= LASTING_S


def test_failures_are_retried_with_growing_pauses_that_differ() -> None:
    """From under a second to half a minute, and not all installations at once."""
    pauses = [retry_in_s(failures, 0.999) for failures in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 1 < pauses[1]
    assert pauses[-1] <= 30
    assert retry_in_s(4, 0.0) < retry_in_s(4, 0.9)


async def met(condition: Callable[[], bool], feed: CredentialFeed | None = None) -> None:
    """Let the loop turn until a condition is met, as a gateway does."""
    async with asyncio.timeout(20):
        while not condition():
            if feed is not None:
                await feed.tend(["a:1"])
            await asyncio.sleep(0.001)


class Script:
    """Gives what a test has laid out; who waits for the next step hears of it."""

    def __init__(self) -> None:
        self.offers: list[Credential] = []
        self.troubles: list[str] = []
        self.steps: list[Credential | Exception] = []
        self.changed = threading.Condition()

    def fetch(self) -> Credential:
        """The next step, the last one for ever."""
        step = self.steps[0] if len(self.steps) == 1 else self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def offer(self, source: str, credential: Credential) -> None:
        """A success of this source."""
        assert source == "p:1"
        with self.changed:
            self.offers.append(credential)
            self.changed.notify_all()

    def trouble(self, source: str, sentence: str) -> None:
        """A failure of this source."""
        assert source == "p:1"
        with self.changed:
            self.troubles.append(sentence)
            self.changed.notify_all()

    def until(self, met: Callable[[], bool]) -> None:
        """Wait for a condition."""
        with self.changed:
            assert self.changed.wait_for(met, 20)


def test_a_refresher_goes_on_through_failures_and_successes() -> None:
    """A failure is told and tried again, a credential replaced before its end, for as long as it runs."""
    script = Script()
    given = [BearerToken(f"token-{number}", 10**15) for number in range(3)]
    script.steps = [OSError("no route to 10.1.2.3"), *given, NoCredentialError("there is none")]
    # Two hours pass between any two looks at the clock, so that nothing is waited for.
    hours = iter(range(0, 10**15, 7_200_000))
    refresher = Refresher("p:1", script.fetch, script, lambda: next(hours), lambda: 0.0)
    refresher.start()
    script.until(lambda: len(script.offers) == 3 and len(script.troubles) >= 2)
    refresher.end()
    assert script.offers == given
    assert script.troubles[0] == "fetching it failed (OSError); see the log of the credentials process"
    assert script.troubles[1].startswith("there is none")


def test_an_expired_credential_is_no_success() -> None:
    """A source that gives out what has ended is told like one that fails."""
    script = Script()
    script.steps = [BearerToken("old", 1)]
    refresher = Refresher("p:1", script.fetch, script, lambda: 2, lambda: 0.0)
    refresher.start()
    script.until(lambda: bool(script.troubles))
    refresher.end()
    assert script.offers == []
    assert "has expired already" in script.troubles[0]


def test_a_log_line_has_what_the_library_said_and_the_client_does_not(caplog: pytest.LogCaptureFixture) -> None:
    """The operator needs the words; a client of another organisation must not see accounts and addresses."""
    script = Script()
    script.steps = [RuntimeError("User: arn:aws:iam::000000000000:user/x is not authorized")]
    refresher = Refresher("p:1", script.fetch, script, lambda: 0, lambda: 0.0)
    with caplog.at_level(logging.WARNING, "penstock.credentials"):
        refresher.start()
        script.until(lambda: bool(script.troubles))
        refresher.end()
    assert "arn:aws" in caplog.text
    assert "arn:aws" not in repr(script.troubles)


@pytest.mark.parametrize("credential", [BearerToken("t", 9_000), AwsCredentials("id", "key", "token", 9_000)])
def test_a_credential_travels_as_a_line(credential: Credential) -> None:
    """What is taken is what was offered, and trouble replaces nothing."""
    table = CredentialTable()
    take(offer_line("s", credential).strip(), table)
    take(trouble_line("s", "why").strip(), table)
    assert table.current(Signing("google", "s"), 0) == credential
    assert table.secrets_of(Signing("google", "s")) == credential.secrets


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b"\xff", b'{"source":"s","token":"a\\r\\nb: c"}'])
def test_a_line_that_is_none_is_refused_without_its_text(line: bytes) -> None:
    """A credential that would break a header is none."""
    table = CredentialTable()
    with pytest.raises(ValueError, match=r"not a line|cannot carry") as caught:
        take(line, table)
    assert "b: c" not in str(caught.value)
    assert not table.heard("s")


@pytest.mark.parametrize("folder", ["short", "long" * 40])
def test_gateways_get_all_there_is_and_what_changes(tmp_path: Path, folder: str) -> None:
    """Two of them, one later than the credential; the socket is for this user alone, however long its path."""
    (tmp_path / folder).mkdir()
    path = tmp_path / folder / "credentials.sock"
    desk = Desk(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    desk.start()
    desk.offer("a:1", TOKEN)
    desk.trouble("b:1", "why")

    async def run() -> None:
        tables = [CredentialTable(), CredentialTable()]
        feeds = [CredentialFeed(path, table) for table in tables]
        for feed in feeds:
            await feed.first(["a:1", "b:1"], 20)
        assert [table.current(Signing("google", "a:1"), 0) for table in tables] == [TOKEN, TOKEN]
        assert "why" in tables[0].missing(Signing("google", "b:1")).message
        desk.offer("b:1", TOKEN)
        desk.forget("a:1")
        for table in tables:
            await met(lambda table=table: table.current(Signing("google", "b:1"), 0) is not None)
        late = CredentialTable()
        feeds.append(CredentialFeed(path, late))
        await feeds[-1].first(["b:1"], 20)
        assert not late.heard("a:1")
        for feed in feeds:
            feed.close()

    asyncio.run(run())
    desk.end()
    assert not path.exists()


def test_a_feed_outlives_the_process_and_finds_the_next_one(tmp_path: Path) -> None:
    """What was given stays while nobody is there; a new process is found, and its news taken."""
    path = tmp_path / "credentials.sock"
    signing = Signing("google", "a:1")

    async def run() -> None:
        table = CredentialTable()
        feed = CredentialFeed(path, table)
        await feed.tend(["a:1"])
        assert not table.heard("a:1")
        for token in (TOKEN, BearerToken("the-next", 0)):
            desk = Desk(path)
            desk.start()
            desk.offer("a:1", token)
            await met(lambda token=token: table.current(signing, 0) == token, feed)
            await asyncio.to_thread(desk.end)
            await feed.tend(["a:1"])
            assert table.current(signing, 0) == token
        await feed.tend([])

    asyncio.run(run())


def test_what_nobody_needs_is_forgotten_once_it_has_expired() -> None:
    """A reload that takes a provider away leaves nothing behind for ever; a request under way goes on."""
    table = CredentialTable()
    signing = Signing("google", "old:1")
    table.offer("old:1", BearerToken("t", 10_000))
    table.keep({"new:1"}, 5_000)
    assert table.current(signing, 5_000) is not None
    table.keep({"new:1"}, 10_000)
    assert not table.heard("old:1")


def test_a_secret_that_cannot_be_read_is_named_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Where the operator keeps secrets is none of a client's business."""
    text = "version: 1\nproviders: {v: {kind: vertex, region: r, project: p, google: {credentials: K}}}\n"
    document = load_text(text.replace("K", '"${file:/nowhere/account.json}"'), {})
    (source,) = sources_of(document, lambda secret: secret.resolve({}))
    script = Script()
    refresher = Refresher("p:1", fetch_for(source, {}), script, lambda: 0, lambda: 0.0)
    with caplog.at_level(logging.WARNING, "penstock.credentials"):
        refresher.start()
        script.until(lambda: bool(script.troubles))
        refresher.end()
    assert "/nowhere/account.json" in caplog.text
    assert "/nowhere" not in script.troubles[0]


def test_a_call_without_a_body_carries_a_token_or_is_refused() -> None:
    """As a look at a stored response does; what is not there yet is said as it is for an attempt."""
    table, signing = CredentialTable(), Signing("entra", "a:1")
    assert table.bearer(None, 0) == b""
    with pytest.raises(Refusal, match="have not arrived") as caught:
        table.bearer(signing, 0)
    assert caught.value.code == "no_credential"
    table.offer("a:1", TOKEN)
    assert table.bearer(signing, 0) == b"authorization: Bearer the-token\r\n"
