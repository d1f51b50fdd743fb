"""The shipped rules of `easy`: data, measured as R5 on the prompts of public benchmarks (docs/routing.md)."""

from __future__ import annotations

SIMPLE_BELOW = -0.5
HARD_FROM = 1.0
BASE_CHARS = 160
PER_DOUBLING = 0.35
MAX_LENGTH_WEIGHT = 2.0
# Name, pattern (RE2, letters of either case), weight.
RULES: tuple[tuple[str, str, float], ...] = (
    ("greeting", r"^\s*(hi|hello|hey|thanks|thank you|good (morning|evening))\b", -1.0),
    (
        "lookup",
        (
            r"^\s*(what is|what's|who is|who was|when (is|was"
            r"|did)|where (is|was)|define|translate|spell)\b"
        ),
        -0.5,
    ),
    ("short_form", r"\b(yes or no|one word|in one sentence|briefly|true or false)\b", -0.4),
    ("rewrite", r"\b(rephrase|rewrite|summari[sz]e|paraphrase|proofread|extract|classify)\b", -0.3),
    ("proof", r"\b(prove|proof|derive|derivation|theorem|lemma|counterexample)\b", 1.2),
    (
        "mathematics",
        (
            r"\b(integral|equation|probability|polynomial|matrix|eigenvalue|modulo"
            r"|prime number|how many ways|solve for)\b|\\frac|\\int|\\sum|\$[^$]{3,}\$"
        ),
        0.8,
    ),
    ("quantities", r"(\d[\d,.]*\D{1,60}){4,}", 0.5),
    (
        "code",
        (
            r"```|\b(def |class |function |SELECT |import |#include|regex"
            r"|algorithm|debug|refactor|stack trace|compile error|unit test)"
        ),
        0.7,
    ),
    (
        "steps",
        (
            r"\b(step[- ]by[- ]step|think (carefully|through)|reason(ing)? (through"
            r"|about)|explain why|show your work|trade-?offs?)\b"
        ),
        0.6,
    ),
    (
        "design",
        (
            r"\b(architect(ure)?|design (a|an|the)|optimi[sz]e|implement"
            r"|strategy|analy[sz]e|evaluate|critique|compare and contrast)\b"
        ),
        0.6,
    ),
    (
        "constraints",
        (
            r"(?s)(\b(must|should|exactly|at least|at most"
            r"|no more than|without using|do not|ensure)\b.*){3,}"
        ),
        0.6,
    ),
    (
        "logic",
        (
            r"\b(if and only if|suppose|assume that|which of the following"
            r"|puzzle|riddle|paradox|contradiction|logical)\b"
        ),
        0.5,
    ),
    ("many_parts", r"(?s)(\n\s*([0-9]+[.)]|[-*]) .*){3,}", 0.4),
)
