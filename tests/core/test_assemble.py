"""A reply is the fold of its events."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.assemble import Assembler, assemble, tell
from penstock.core.chat import ChatReply, Choice, Logprobs, ReplyUsage, TokenLogprob
from penstock.core.events import ArgumentsDelta, PartEnded, PartStarted, TextDelta
from penstock.core.parts import Audio, Citation, Inline, Refused, Signature, Text, Thinking, ToolCall
from penstock.core.usage import Usage

_signatures = st.builds(Signature, st.sampled_from(["anthropic", "gemini"]), st.text(min_size=1))
_parts = st.one_of(
    st.builds(
        Text,
        st.text(),
        st.lists(st.builds(Citation, st.text(), st.text()), max_size=3).map(tuple),
        signature=st.none() | _signatures,
    ),
    st.builds(Thinking, st.text(), st.none() | _signatures, st.none() | _signatures, st.text()),
    st.builds(ToolCall, st.text(), st.text(), st.text(), signature=st.none() | _signatures),
    st.builds(Refused, st.text()),
    st.builds(Audio, st.builds(Inline, st.just("audio/wav"), st.text()), st.just("wav"), st.text()),
)
_choices = st.lists(
    st.tuples(
        st.lists(_parts, max_size=4).map(tuple),
        st.sampled_from(["stop", "length", "tool_calls", "stop_sequence"]),
        st.none() | st.just(Logprobs((TokenLogprob("a", -0.5),))),
    ),
    min_size=1,
    max_size=3,
).map(
    lambda rows: tuple(
        Choice(at, parts, finish, "native", None, logprobs)  # type: ignore[arg-type]
        for at, (parts, finish, logprobs) in enumerate(rows)
    )
)


@given(_choices)
def test_a_reply_told_as_events_is_the_reply_again(choices: tuple[Choice, ...]) -> None:
    """Telling a reply and folding its events gives an equal reply, however many answers and parts it has."""
    reply = ChatReply(
        id="r", model="m", created_s=1, choices=choices, usage=ReplyUsage(Usage(3, 4)), service_tier="default"
    )
    told = [event for event in tell(reply) if not isinstance(event, PartEnded) or event.part is None]
    folded = assemble(told)
    expected = [list(choice.parts) for choice in choices]
    assert [list(choice.parts) for choice in folded.choices] == expected
    assert folded == reply


def test_deltas_of_parts_that_overlap_find_their_own_part() -> None:
    """Parallel tool calls whose pieces alternate are put together each on its own."""
    assembler = Assembler()
    assembler.add(PartStarted(0, 0, ToolCall("a", "f")))
    assembler.add(PartStarted(0, 1, ToolCall("b", "g")))
    for piece in ("{", "}"):
        assembler.add(ArgumentsDelta(0, 0, piece))
        assembler.add(ArgumentsDelta(0, 1, piece))
    (choice,) = assembler.reply().choices
    assert choice.parts == (ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}"))


def test_a_delta_without_its_part_is_passed_over() -> None:
    """A vendor that forgets to start a part does not break the fold."""
    assert assemble([TextDelta(0, 7, "lost")]).choices == (Choice(0),)


def test_a_part_that_is_repeated_in_full_at_its_end_replaces_what_was_gathered() -> None:
    """Where a shape repeats the whole part at its end, that counts."""
    events = [PartStarted(0, 0, Text("")), TextDelta(0, 0, "ab"), PartEnded(0, 0, Text("abc"))]
    assert assemble(events).choices[0].parts == (Text("abc"),)
