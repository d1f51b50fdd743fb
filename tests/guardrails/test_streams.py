"""Streams under guards: wherever a text is cut, the same is found, and the same goes out."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.config.document import Guard as GuardConfig
from penstock.core.screen_plan import Guard
from penstock.guardrails.cutting import cutter_of
from penstock.guardrails.docket import Docket
from penstock.guardrails.kinds import detector_of
from penstock.guardrails.looking import screened_text
from penstock.guardrails.stream import GuardedStream
from penstock.guardrails.texts.events import reader_of
from penstock.guardrails.window import Window
from tests.guardrails.detecting import guard

DIGITS = guard(r"\b\d{3,10}\b|ab{0,5}c", name="digits")
WORDS = guard(r"b{1,4}c \d", name="words", reach=12)
TEXTS = st.text(alphabet="abc 123<>\u00e9\U0001f600", max_size=60)
CUTS = st.lists(st.integers(1, 9), max_size=40)


def pieces(text: str, cuts: list[int]) -> list[str]:
    """The text cut into pieces of these sizes, the rest in one."""
    found: list[str] = []
    at = 0
    for size in cuts:
        found.append(text[at : at + size])
        at += size
    return [each for each in [*found, text[at:]] if each]


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """A chunk of a chat stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %b\n\n" % json.dumps({"id": "c", "choices": [choice]}).encode()


def said(stream: bytes, name: str = "content") -> str:
    """The text that a client puts together."""
    lines = [line[6:] for line in stream.split(b"\n") if line.startswith(b"data: {")]
    return "".join([json.loads(line)["choices"][0]["delta"].get(name) or "" for line in lines])


def stream_of(guards: list[Guard], docket: Docket, *, restore: bool = False) -> GuardedStream:
    """A chat stream under guards."""
    read = reader_of("openai.chat")
    assert read is not None
    return GuardedStream(guards, docket, read, cutter_of("sse"), restore=restore)


@given(TEXTS, CUTS)
def test_any_split_gives_what_the_whole_text_gives(text: str, cuts: list[int]) -> None:
    """Text and verdicts are those of one look at the whole, overlapping findings included."""
    whole, split = Docket(), Docket()
    wanted = screened_text([DIGITS, WORDS], text, "assistant", whole)
    window = Window([DIGITS, WORDS], "assistant", split, restore=False)
    bits = [window.add(piece) for piece in pieces(text, cuts)]
    window.close()
    assert "".join([bit.new or "" for bit in bits]) == wanted
    if bits:
        assert split.notes() == whole.notes()


@given(TEXTS, CUTS, st.integers(1, 200))
def test_any_split_of_bytes_and_events_gives_the_same_stream(text: str, cuts: list[int], size: int) -> None:
    """Neither how a model cuts its text into events nor how the network cuts these changes what is said."""
    docket = Docket()
    raw = b"".join([event({"content": each}) for each in pieces(text, cuts)])
    raw += event({}, "stop")
    stream = stream_of([DIGITS, WORDS], docket)
    out = b"".join([stream.feed(raw[at : at + size]) for at in range(0, len(raw), size)])
    out += stream.finish(b"data: [DONE]\n\n")
    assert said(out) == screened_text([DIGITS, WORDS], text, "assistant", Docket())
    assert out.count(b"\n\n") == raw.count(b"\n\n") + 1


@given(TEXTS, CUTS)
def test_nothing_of_what_is_blocked_goes_out(text: str, cuts: list[int]) -> None:
    """What went out before a block is a beginning of the text that holds no part of a finding."""
    docket = Docket()
    stop = guard(r"ab{0,5}c", "block", name="stop")
    stream = stream_of([stop], docket)
    out = b"".join([stream.feed(event({"content": each})) for each in pieces(text, cuts)])
    out += stream.finish(event({}, "stop") + b"data: [DONE]\n\n")
    found = screened_text([guard(r"ab{0,5}c", name="stop")], text, "assistant", Docket())
    if docket.blocked is None:
        assert said(out) == text
    else:
        assert found.partition("<STOP>")[0].startswith(said(out))
        assert b"[DONE]" not in out


def test_untouched_events_keep_their_bytes() -> None:
    """An event whose text nobody changes goes out as it came, whatever its spacing."""
    raw = [
        b'data: {"choices": [ {"index":0, "delta":{"content":"a\\u0062 "}, "x":1.50} ]}\n\n',
        event({}, "stop"),
    ]
    stream = stream_of([DIGITS], Docket())
    out = b"".join([stream.feed(each) for each in raw]) + stream.finish(b"data: [DONE]\n\n")
    assert out == b"".join(raw) + b"data: [DONE]\n\n"


def test_a_changed_event_keeps_all_but_its_text_and_its_likelihoods() -> None:
    """Log probabilities spell the tokens that were taken out, so they go with them."""
    begun = b'data: {"choices":[{"index":0,"delta":{"content":"123"},"logprobs":'
    raw = begun + b'{"content":[{"token":"123"}]}}],"y":1}\n\n'
    stream = stream_of([DIGITS], Docket())
    out = stream.feed(raw) + stream.finish(b"data: [DONE]\n\n")
    kept = b'data: {"choices":[{"index":0,"delta":{"content":"<DIGITS>"},"logprobs":null}],"y":1}\n\n'
    assert out == kept + b"data: [DONE]\n\n"


@given(CUTS)
def test_placeholders_are_put_back_however_they_are_cut(cuts: list[int]) -> None:
    """In text as it is, in a call's arguments as JSON writes it."""
    docket = Docket()
    name = docket.vault.placeholder("PERSON", 'Ann "A" O\u2019Neil')
    stream = stream_of([], docket, restore=True)
    out = b"".join([stream.feed(event({"content": each})) for each in pieces(f"Dear {name}, <PERSON_9>", cuts)])
    call = json.dumps({"to": name, "n": 1})
    calls = [{"tool_calls": [{"index": 0, "function": {"arguments": each}}]} for each in pieces(call, cuts)]
    out += b"".join([stream.feed(event(each)) for each in calls])
    out += stream.finish(event({}, "tool_calls") + b"data: [DONE]\n\n")
    assert said(out) == 'Dear Ann "A" O\u2019Neil, <PERSON_9>'
    lines = [json.loads(line[6:]) for line in out.split(b"\n") if line.startswith(b"data: {")]
    deltas = [each["choices"][0]["delta"].get("tool_calls") for each in lines]
    arguments = "".join([each[0]["function"]["arguments"] for each in deltas if each])
    assert json.loads(arguments) == {"to": 'Ann "A" O\u2019Neil', "n": 1}


def test_escapes_hide_nothing_in_arguments() -> None:
    """A call's arguments are looked at as what they mean."""
    docket = Docket()
    stream = stream_of([DIGITS], docket)
    text = '{"a": "\\u0031\\u0032\\u0033"}'
    stream.feed(event({"tool_calls": [{"index": 0, "function": {"arguments": text}}]}))
    out = stream.finish(event({}, "tool_calls") + b"data: [DONE]\n\n")
    assert b"DIGITS" in out
    assert b"u0031" not in out


def test_what_need_not_be_held_back_goes_out_at_once() -> None:
    """Only the last characters within reach of a finding wait."""
    stream = stream_of([WORDS], Docket())
    out = stream.feed(event({"content": "x" * 100}))
    assert out == b""  # an event goes out whole
    out = stream.feed(event({"content": "y" * 12}))
    assert said(out) == "x" * 100


PARTS = st.sampled_from(
    (
        "joe@example.com|https://example.com/a?b=c|4111 1111 1111 1111|DE89 3704 0044 0532 0130 00|my SSN is|"
        "078-05-1120|call +49 30 901820|12 Long Street|word|,|2001:db8::1|phone:|@|1|" + "x" * 300
    ).split("|")
)


@settings(deadline=None, max_examples=50)
@given(st.lists(PARTS, max_size=25), CUTS)
def test_personal_data_is_found_wherever_a_stream_is_cut(parts: list[str], cuts: list[int]) -> None:
    """The real detector keeps to what it says of its reach."""
    text = " ".join(parts)
    pii = Guard("pii", "pii", "redact", detector=detector_of(GuardConfig(kind="pii")))
    wanted = screened_text([pii], text, "assistant", Docket())
    window = Window([pii], "assistant", Docket(), restore=False)
    bits = [window.add(piece) for piece in pieces(text, [7 * cut for cut in cuts])]
    window.close()
    assert "".join([bit.new or "" for bit in bits]) == wanted


KEYS = st.sampled_from(
    [
        "AKIA2OGYBAH6Q7BLEZVW",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "password: hunter2!x",
        "api_key = 8f3kQz9LmP2vX7cW4tRn",
        "postgres://u:p4ss!w0rd@db/x",
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEow",
        "-----END RSA PRIVATE KEY-----",
        "word",
        ",",
        "x",
    ]
)


@settings(deadline=None, max_examples=50)
@given(st.lists(KEYS, max_size=20), CUTS)
def test_secrets_are_found_wherever_a_stream_is_cut(parts: list[str], cuts: list[int]) -> None:
    """Private keys over many lines included."""
    text = "\n".join(parts)
    keys = Guard("keys", "secrets", "redact", detector=detector_of(GuardConfig(kind="secrets")))
    wanted = screened_text([keys], text, "assistant", Docket())
    window = Window([keys], "assistant", Docket(), restore=False)
    bits = [window.add(piece) for piece in pieces(text, [5 * cut for cut in cuts])]
    window.close()
    assert "".join([bit.new or "" for bit in bits]) == wanted
