"""Marks for vendors' prompt caches: where prompts end, and when a mark is worth what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.prompt_cache import (
    LONG_S,
    MAX_MARKS,
    SHORT_S,
    Mark,
    Piece,
    PrefixMemory,
    Prompt,
    PromptCacheRule,
    break_even,
    ends,
)

AUTO = PromptCacheRule("marks")
LONG = PromptCacheRule("marks", ttl_s=LONG_S)
ALWAYS = PromptCacheRule("marks", always=True)


def _turn(role: str, *texts: bytes) -> tuple[str, list[Piece]]:
    return role, [Piece(text) for text in texts]


def _asking(text: bytes) -> Prompt:
    return Prompt([Piece(b"tool")], [Piece(b"system")], [_turn("user", text)])


@dataclass
class Traffic:
    """One place's requests in a row, a second apart unless told."""

    memory: PrefixMemory
    rule: PromptCacheRule = AUTO
    now: float = 0.0

    def send(self, prompt: Prompt, after_s: float = 1.0) -> list[str]:
        """The levels that are marked in the next request."""
        self.now += after_s
        return [mark.level for mark in self.memory.choose(ends(prompt), "org/target", self.rule, 0, self.now)]


def test_ends_stand_behind_each_stable_piece_in_the_vendors_order() -> None:
    """Tools, system, what was said before, material in front of the question, and all of it."""
    document = Piece(b"paper", material=True)
    prompt = Prompt(
        [Piece(b"a"), Piece(b"b")],
        [Piece(b"s")],
        [
            _turn("user", b"one"),
            _turn("assistant", b"two"),
            ("user", [document, Piece(b"three")]),
        ],
    )
    found = [(mark.level, mark.turn, mark.piece, mark.chars) for mark in ends(prompt)]
    assert found == [
        ("tools", -1, 1, 2),
        ("system", -1, 0, 3),
        ("history", 0, 0, 6),
        ("documents", 2, 0, 14),
        ("tail", 2, 1, 19),
    ]


def test_what_cannot_carry_a_mark_is_passed_over() -> None:
    """The mark goes to the last block before it that can."""
    thinking = Piece(b"thought", markable=False)
    (mark,) = ends(Prompt(turns=[("user", [Piece(b"x"), thinking])]))
    assert (mark.level, mark.piece) == ("tail", 0)
    assert not ends(Prompt(turns=[("user", [thinking])]))


@given(st.lists(st.lists(st.binary(max_size=9), min_size=1, max_size=3), min_size=1, max_size=5))
def test_the_end_of_a_turn_is_the_history_of_the_next(turns: list[list[bytes]]) -> None:
    """A conversation that goes on begins with exactly what was sent before, and ends nowhere else with it."""
    said = [_turn("user" if index % 2 == 0 else "assistant", *texts) for index, texts in enumerate(turns)]
    if len(said) % 2 == 0:
        said = said[:-1]
    tail = ends(Prompt(turns=said))[-1]
    longer = ends(Prompt(turns=[*said, _turn("assistant", b"yes"), _turn("user", b"go on")]))
    history = next(mark for mark in longer if mark.level == "history")
    assert (history.digest, history.chars, history.turn) == (tail.digest, tail.chars, tail.turn)
    assert len({mark.digest for mark in longer}) == len(longer)


def test_blocks_do_not_run_into_each_other() -> None:
    """The same characters cut elsewhere are another prefix, as they are to the vendor."""
    one, other = (ends(Prompt(system=[Piece(a), Piece(b)]))[0] for a, b in ((b"ab", b"c"), (b"a", b"bc")))
    assert one.chars == other.chars
    assert one.digest != other.digest


def test_a_conversation_is_marked_as_it_grows() -> None:
    """What was written by one request is read by the next, which writes what is new."""
    traffic = Traffic(PrefixMemory())
    assert traffic.send(_asking(b"one")) == ["tools", "system", "tail"]
    longer = Prompt(
        [Piece(b"tool")],
        [Piece(b"system")],
        [_turn("user", b"one"), _turn("assistant", b"1"), _turn("user", b"two")],
    )
    assert traffic.send(longer) == ["tools", "system", "history", "tail"]


def test_questions_that_nobody_goes_on_from_are_soon_not_written_any_more() -> None:
    """A write that is never read again costs a quarter more: after a few, only what comes back is marked."""
    traffic = Traffic(PrefixMemory())
    marked = [traffic.send(_asking(b"question %d" % number)) for number in range(50)]
    assert sum("tail" in levels for levels in marked) <= 3
    assert all("system" in levels for levels in marked[1:])


def test_prompts_that_never_come_back_are_not_marked_at_all() -> None:
    """A system prompt with the time of day in it loses its mark, too, and wins it back once it stays."""
    traffic = Traffic(PrefixMemory())
    changing = [
        Prompt(system=[Piece(b"it is %d" % number)], turns=[_turn("user", b"?")]) for number in range(60)
    ]
    marked = [traffic.send(prompt) for prompt in changing]
    assert not any(marked[5:])
    stays = Prompt(system=[Piece(b"it is now")], turns=[_turn("user", b"?")])
    assert traffic.send(stays) == []
    assert "system" in traffic.send(stays)


@pytest.mark.parametrize(("rule", "kept_s"), [(AUTO, SHORT_S), (LONG, LONG_S)])
def test_what_comes_back_too_late_has_not_come_back(rule: PromptCacheRule, kept_s: int) -> None:
    """The vendor has forgotten it by then, and it would be written again each time."""
    traffic = Traffic(PrefixMemory(), rule)
    late = [traffic.send(_asking(b"the same"), after_s=kept_s + 1) for _ in range(20)]
    assert late[-1] == []
    assert traffic.send(_asking(b"the same"), after_s=kept_s - 1) == ["tools", "system", "tail"]


def test_an_hour_must_earn_more_than_five_minutes() -> None:
    """Writing for an hour costs twice the input, so the first request does not."""
    assert break_even(SHORT_S) == pytest.approx(0.25 / 0.9)
    assert break_even(LONG_S) == pytest.approx(1 / 0.9)
    assert Traffic(PrefixMemory(), LONG).send(_asking(b"one")) == []
    assert Traffic(PrefixMemory(), ALWAYS).send(_asking(b"one")) == ["tools", "system", "tail"]


def test_short_prefixes_are_left_out_and_four_marks_are_the_most() -> None:
    """Vendors ignore shorter ones and refuse a fifth; the longest ones hold the others."""
    marks = [Mark("system", -1, number, number * 100, b"%d" % number) for number in range(8)]
    memory = PrefixMemory()
    chosen = memory.choose(marks, "p", ALWAYS, 250, 0.0)
    assert [mark.chars for mark in chosen] == [400, 500, 600, 700]
    assert len(chosen) == MAX_MARKS
    assert [mark.chars for mark in memory.choose(marks, "p", ALWAYS, 650, 0.0)] == [700]


def test_organisations_do_not_learn_from_each_other() -> None:
    """Whether somebody else has sent a prompt before is none of anybody's business."""
    memory = PrefixMemory()
    marks = ends(_asking(b"secret"))
    for _ in range(3):
        memory.choose(marks, "acme/target", LONG, 0, 1.0)
    assert memory.choose(marks, "acme/target", LONG, 0, 2.0)
    assert not memory.choose(marks, "other/target", LONG, 0, 2.0)


def test_memory_is_bounded() -> None:
    """The oldest prefixes are forgotten first."""
    traffic = Traffic(PrefixMemory(known=6), LONG)
    traffic.send(_asking(b"first"))
    for number in range(10):
        traffic.send(_asking(b"%d" % number))
    assert "tail" not in traffic.send(_asking(b"first"))
