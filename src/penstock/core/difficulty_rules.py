"""The shipped rules of `easy`: data, measured as R5 on the prompts of public benchmarks (docs/routing.md)."""

from __future__ import annotations

SIMPLE_BELOW = -0.5
HARD_FROM = 0.8
BASE_CHARS = 160
PER_DOUBLING = 0.5
MAX_LENGTH_WEIGHT = 2.0
# Name, pattern (RE2, letters of either case), weight.
RULES: tuple[tuple[str, str, float], ...] = (
    ("greeting", r"^\s*(hi|hello|hey|thanks|thank you|good (morning|evening))\b", -1.0),
    (
        "lookup",
        (
            r"^\s*(what is|what's|who is|who was|when (is|was|did)|where (is|was)"
            r"|define|translate|spell)\b"
        ),
        -0.5,
    ),
    ("short_form", r"\b(yes or no|one word|in one sentence|briefly|true or false)\b", -0.4),
    ("rewrite", r"\b(rephrase|rewrite|summari[sz]e|paraphrase|proofread)\b", -0.3),
    (
        "creative",
        (
            r"\b(write|compose|draft|create|craft)\b.{0,60}"
            r"\b(poem|story|blog|e-?mail|essay|letter|post|paragraph|review)\b"
            r"|\b(pretend|role-?play|act as|imagine you|embody|persona|travel)\b"
        ),
        -0.8,
    ),
    ("proof", r"\b(prove|proof|derive|derivation|theorem|lemma|counterexample)\b", 0.4),
    ("quantities", r"(\d[\d,.]*\D{1,60}){4,}", 0.15),
    (
        "code",
        (
            r"```|\b(def |class |function |SELECT |import |#include|regex|algorithm|debug|refactor"
            r"|stack trace|compile error|unit test)"
        ),
        0.7,
    ),
    (
        "steps",
        (
            r"\b(step[- ]by[- ]step|think (carefully|through)|reason(ing)? (through|about)"
            r"|explain why|show your work|trade-?offs?)\b"
        ),
        0.8,
    ),
    (
        "design",
        (
            r"\b(architect(ure)?|design (a|an|the)|optimi[sz]e|implement|strategy|analy[sz]e"
            r"|evaluate|critique|compare and contrast)\b"
        ),
        0.8,
    ),
    (
        "constraints",
        r"(?s)(\b(must|should|exactly|at least|at most|no more than|without using|do not|ensure)\b.*){3,}",
        0.6,
    ),
    ("logic", r"\b(if and only if|suppose|assume that|puzzle|riddle|paradox|contradiction|logical)\b", 0.2),
    ("negation", r"\b(except|not|is false|least likely|incorrect)\b", 0.4),
    ("many_parts", r"(?s)(\n\s*([0-9]+[.)]|[-*]) .*){3,}", 0.4),
)
