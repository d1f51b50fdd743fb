"""Seals survive the dialects that cannot show them."""

import base64
import zlib

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.parts import Signature, Thinking
from penstock.core.seals import Carried, from_id, into_id, unwrap, wrap

_signatures = st.builds(Signature, st.sampled_from(["anthropic", "gemini", "openai.responses"]), st.text())


@given(_signatures, st.sampled_from(["anthropic", "gemini", "converse"]))
def test_a_seal_comes_back_from_any_signature_field(signature: Signature, shape: str) -> None:
    """Wrapped into a field of any shape and read from it again, a seal is the same and its signer known."""
    assert unwrap(wrap(signature, shape), shape) == signature


def test_a_seal_stands_unchanged_in_the_field_of_its_own_shape() -> None:
    """A vendor's client sees that vendor's signature as the vendor wrote it."""
    assert wrap(Signature("anthropic", "EqoB=="), "anthropic") == "EqoB=="


@given(st.text(alphabet="abc_-0", min_size=1), st.text(), _signatures)
def test_thinking_travels_in_a_tool_calls_id(call_id: str, text: str, signature: Signature) -> None:
    """The id that a client sends back gives the vendor's id, the thinking and the call's own signature."""
    thinking = (Thinking(text, signature),)
    carried = into_id(call_id, thinking, signature)
    assert from_id(carried) == (call_id, Carried(thinking, signature))
    assert all(char.isalnum() or char in "-_" for char in carried)


def test_an_id_without_seals_is_left_alone() -> None:
    """Unsigned thinking need not come back, so the id stays short."""
    assert into_id("call_1", (Thinking("hm"),), None) == "call_1"
    assert from_id("call_1") == ("call_1", Carried())


@given(st.text())
def test_an_id_that_only_looks_carried_is_the_clients_own(tail: str) -> None:
    """Ids that a stranger made up are passed on as they are, and never raise."""
    call_id, _ = from_id("x-ps1-" + tail)
    assert call_id in {"x-ps1-" + tail, "x"} or call_id.startswith("x")


def test_a_small_id_does_not_become_a_large_text() -> None:
    """Text that packs too well travels unpacked, so what a stranger packed even better is not read."""
    seal = Signature("gemini", "s")
    thinking = (Thinking("a" * 100_000, seal),)
    carried = into_id("call", thinking, None)
    assert len(carried) > 100_000
    assert from_id(carried) == ("call", Carried(thinking))
    bomb = zlib.compress(msgspec.json.encode(Carried((Thinking("a" * 1_000_000, seal),))))
    packed = "call-ps1-" + base64.urlsafe_b64encode(bomb).decode().rstrip("=")
    assert from_id(packed) == (packed, Carried())
