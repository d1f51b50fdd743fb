"""How two questions differ, word by word: what the verifier weighs.

Words are first paired: equal, of one stem, synonyms, and last, if likenesses are given, alike in their
contexts. What stays alone on either side is then looked at: opposites, two kinds of one thing, names,
numbers, code; and of what was paired, whether it stands in the same roles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock.cache.asking import apart, wanted
from penstock.cache.comparison import Comparison, Likeness
from penstock.cache.lexicon import Lexicon, lexicon
from penstock.cache.vocabulary import (
    DENIALS,
    FUNCTION,
    OTHERS,
    PERSONS,
    PREPOSITIONS,
    QUANTITIES,
)
from penstock.cache.words import Word

# Words of a text that has one thing to say.
SHORT = 16


@dataclass(slots=True)
class Differences:
    """What was found. Shares are of the words that carry content; amounts count words."""

    shared: float = 0.0  # of all content, the share that has its like on the other side
    covered: float = 0.0  # the same of the side that has less
    weak: float = 0.0  # the least likeness of a content word to anything on the other side
    mean: float = 0.0  # the mean of that
    narrowed: float = 0.0  # only one side has words of its own: 1 - likeness of the strangest
    alone_a: float = 0.0
    alone_b: float = 0.0
    swapped: float = 0.0  # 1 - likeness of the most unlike words that stand in each other's place
    single: float = 0.0  # the same where these are the only two words that differ; 1 for two kinds of one thing
    numbers: float = 0.0  # each side has a number that the other lacks
    number: float = 0.0  # one side has
    opposite: float = 0.0
    negated: float = 0.0  # one side is denied once more than the other
    siblings: float = 0.0
    names: float = 0.0
    name: float = 0.0
    code: float = 0.0
    direction: float = 0.0
    prepositions: float = 0.0
    quantities: float = 0.0
    asked: float = 0.0
    persons: float = 0.0
    script: float = 0.0
    length: float = 0.0
    long: float = 0.0  # content words, 1 from 20 on
    weak_long: float = 0.0
    seen: dict[str, str] = field(default_factory=dict[str, str])


def differences(a: Sequence[Word], b: Sequence[Word], likeness: Likeness | None = None) -> Differences:
    """Compare; `likeness` has a row for each word of `a` and a column for each of `b`."""
    pair = Comparison(a, b, likeness, lexicon())
    found = Differences()
    _content(pair, found)
    _numbers(pair, found)
    _opposites(pair, found)
    _substitutions(pair, found)
    _roles(pair, found)
    _classes(pair, found)
    return found


def _content(pair: Comparison, found: Differences) -> None:
    total, alone = [0.0, 0.0], [0.0, 0.0]
    least, likenesses = 1.0, list[tuple[float, float]]()
    for side in (0, 1):
        weights = pair.weights[side]
        total[side] = sum(weights)
        lonely = set(pair.alone(side))
        for i, weight in enumerate(weights):
            if weight <= 0:
                continue
            like = pair.best(side, i)
            if i in lonely:
                alone[side] += weight
                if weight >= 1:
                    least = min(least, like)
            likenesses.append((weight, max(like, 0.0)))
    every = sum(total) or 1.0
    found.shared = 1.0 - sum(alone) / every
    found.covered = max(1.0 - alone[s] / (total[s] or 1.0) for s in (0, 1))
    found.alone_a, found.alone_b = max(alone), min(alone)
    found.weak = 1.0 - least
    lonely = [[i for i in pair.alone(s) if pair.weights[s][i] >= 1] for s in (0, 1)]
    if bool(lonely[0]) != bool(lonely[1]):
        side = 0 if lonely[0] else 1
        extra = max(lonely[side], key=lambda i: -pair.best(side, i))
        found.narrowed = 1.0 - max(pair.best(side, extra), 0.0)
        found.seen["narrowed"] = pair.sides[side][extra].plain
    found.mean = sum(w * v for w, v in likenesses) / (sum(w for w, _ in likenesses) or 1.0)
    found.long = min(sum(total) / 40.0, 1.0)
    found.weak_long = found.weak * found.long
    a, b = (len(side) for side in pair.sides)
    found.length = abs(a - b) / max(a, b, 1)


def _numbers(pair: Comparison, found: Differences) -> None:
    # "one" may be a pronoun; any other number counts as often as it stands there.
    values = [
        Counter(w.value for w in side if w.kind in {"number", "time"} and not _pronoun(w))
        for side in pair.sides
    ]
    lonely = [{*(values[s] - values[1 - s])} for s in (0, 1)]
    lonely = [{v for v in lonely[s] if not _time_alike(v, {*values[1 - s]})} for s in (0, 1)]
    if lonely[0] and lonely[1]:
        found.numbers = 1.0
        found.seen["numbers"] = f"{_shown(lonely[0])} / {_shown(lonely[1])}"
    elif lonely[0] or lonely[1]:
        found.number = 1.0
        found.seen["number"] = _shown(lonely[0] or lonely[1])
    code: tuple[list[str], list[str]] = ([], [])
    for side in (0, 1):
        for i in pair.alone(side):
            if pair.sides[side][i].kind == "code":
                code[side].append(pair.sides[side][i].plain)
    if code[0] and code[1]:
        found.code = 1.0
        found.seen["code"] = f"{code[0][0]} / {code[1][0]}"


def _pronoun(word: Word) -> bool:
    return word.plain in {"one", "ones"}


def _time_alike(value: float, others: set[float]) -> bool:
    """5 may be 5 pm."""
    return any(other in {value * 60, value * 60 + 720, value / 60, (value - 720) / 60} for other in others)


def _shown(values: set[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))


def _opposites(pair: Comparison, found: Differences) -> None:
    known = pair.known
    count = 0
    spent: tuple[set[int], set[int]] = (set(), set())
    # In long texts words that are opposites meet by accident.
    short = max(len(side) for side in pair.sides) <= SHORT
    sides = [[i for i in range(len(pair.sides[s])) if i not in (pair.pair, pair.back)[s]] for s in (0, 1)]
    for i in sides[0]:
        for j in sides[1]:
            if j not in spent[1] and _opposed(pair, known, i, j) and (short or _same_place(pair, i, j)):
                count += 1
                spent[0].add(i)
                spent[1].add(j)
                found.seen["opposite"] = f"{pair.sides[0][i].plain} / {pair.sides[1][j].plain}"
                break
    # "with" against "without" is an opposite already, and no denial besides.
    denied = [
        sum(w.plain in DENIALS and i not in spent[s] for i, w in enumerate(pair.sides[s])) for s in (0, 1)
    ]
    odd = (denied[0] - denied[1]) % 2
    if count and not (count + odd) % 2:
        # "not safe" and "unsafe": two denials are none.
        count, odd = 0, 0
        found.seen.pop("opposite", "")
    found.opposite = float(min(count, 2))
    found.negated = float(odd) if short else odd / 2
    if odd:
        found.seen["negated"] = next(
            (w.plain for s in (0, 1) for w in pair.sides[s] if w.plain in DENIALS), "not"
        )


def _opposed(pair: Comparison, known: Lexicon, i: int, j: int) -> bool:
    x, y = pair.sides[0][i], pair.sides[1][j]
    if x.kind != "word" or y.kind != "word":
        return False
    return any(
        known.opposites(p, q)
        for p in {x.plain, pair.lemmas[0][i]}
        for q in {y.plain, pair.lemmas[1][j]}
        if p != q
    )


def _substitutions(pair: Comparison, found: Differences) -> None:
    lonely = (pair.alone(0), pair.alone(1))
    short = max(len(side) for side in pair.sides) <= SHORT
    for i in lonely[0]:
        for j in lonely[1]:
            if pair.sides[0][i].kind == pair.sides[1][j].kind == "word":
                _instead(pair, i, j, found, short=short)
    _single(pair, lonely, found)
    found.names, found.siblings = min(found.names, 2.0), min(found.siblings, 2.0)
    for side in (0, 1):
        for i in lonely[side]:
            word = pair.sides[side][i]
            if word.name and word.kind == "word" and not found.names:
                found.name = 1.0
                found.seen["name"] = word.plain


def _instead(pair: Comparison, i: int, j: int, found: Differences, *, short: bool) -> None:
    """What one word says, and the other one instead of it."""
    x, y, known = pair.sides[0][i], pair.sides[1][j], pair.known
    p, q = pair.lemmas[0][i], pair.lemmas[1][j]
    both, place = f"{x.plain} / {y.plain}", _same_place(pair, i, j)
    strange = short and not (p in known and q in known)
    if x.name and y.name and (strange or place):
        found.names += 1.0
        found.seen["names"] = both
    if known.siblings(p, q) and pair.weights[0][i] >= 1 and pair.weights[1][j] >= 1:
        found.siblings += 1.0
        found.seen["siblings"] = both
    if place:
        unlike = min(pair.weights[0][i], pair.weights[1][j]) * (1.0 - max(pair.like(i, j), 0.0))
        if unlike > found.swapped:
            found.swapped = unlike
            found.seen["swapped"] = both


def _single(pair: Comparison, lonely: tuple[list[int], list[int]], found: Differences) -> None:
    words = [[i for i in lonely[s] if pair.weights[s][i] >= 1] for s in (0, 1)]
    if len(words[0]) != 1 or len(words[1]) != 1 or not _same_place(pair, words[0][0], words[1][0]):
        return
    i, j = words[0][0], words[1][0]
    p, q = pair.lemmas[0][i], pair.lemmas[1][j]
    kinds = pair.known.siblings(p, q) and not pair.known.narrows(p, q)
    found.single = 1.0 if kinds else 1.0 - max(pair.like(i, j), 0.0)
    found.seen["single"] = f"{pair.sides[0][i].plain} / {pair.sides[1][j].plain}"


def _same_place(pair: Comparison, i: int, j: int) -> bool:
    """Whether what stands before or behind the two words is the same."""
    a, b = pair.sides
    before = (i == 0 and j == 0) or (i > 0 and j > 0 and pair.pair.get(i - 1) == j - 1)
    behind = (i == len(a) - 1 and j == len(b) - 1) or pair.pair.get(i + 1, -1) == j + 1
    return before and behind


def _roles(pair: Comparison, found: Differences) -> None:
    """Whether words that both sides have stand the other way round: from A to B, A beats B."""
    a, b = pair.sides
    content = [
        (i, j) for i, j in sorted(pair.pair.items()) if pair.weights[0][i] >= 1 and pair.weights[1][j] >= 1
    ]
    short = max(len(a), len(b)) <= SHORT
    roles = [[_role(side, k) for k in range(len(side))] for side in (a, b)]
    for n, (i, j) in enumerate(content):
        for k, m in content[n + 1 :]:
            mine, theirs = (roles[0][i], roles[0][k]), (roles[1][j], roles[1][m])
            # In long texts a preposition is too often another phrase's.
            if short and mine == theirs[::-1] and mine[0] != mine[1] and mine[0] and mine[1]:
                found.direction = 1.0
                found.seen["direction"] = f"{a[i].plain}, {a[k].plain}"
    order = [j for _, j in content]
    turned = sum(order[x] > order[y] for x in range(len(order)) for y in range(x + 1, len(order)))
    alone = len(pair.alone(0)) + len(pair.alone(1))
    passive = any(w.plain == "by" for side in pair.sides for w in side)
    if turned and not alone and not found.direction and not passive and len(content) <= 8:
        found.prepositions += 0.5
        # Nothing but the order of two neighbours differs: who does what to whom.
        if sorted(w.plain for w in a) == sorted(w.plain for w in b):
            found.direction = 1.0
            found.seen["direction"] = "the order of the words"


def _role(side: Sequence[Word], k: int) -> str:
    """The preposition that a word stands behind, if one is near."""
    for back in range(k - 1, max(k - 4, -1), -1):
        if side[back].kind == "number" and back == k - 1:
            return "#"
        if side[back].plain in {
            "from",
            "to",
            "into",
            "in",
            "as",
            "by",
            "for",
            "over",
            "than",
            "against",
            "before",
            "after",
            "with",
            "of",
        }:
            return "to" if side[back].plain == "into" else side[back].plain
        if side[back].plain not in FUNCTION and back < k - 2:
            break
    return ""


def _classes(pair: Comparison, found: Differences) -> None:
    plain = [{w.plain for w in side} for side in pair.sides]
    for name, words in (
        ("prepositions", PREPOSITIONS - {"of", "for", "in", "on", "at", "to", "by", "with", "per"}),
        ("quantities", QUANTITIES),
    ):
        mine, theirs = plain[0] & words, plain[1] & words
        if mine ^ theirs:
            amount = 1.0 if (mine - theirs and theirs - mine) else 0.5
            setattr(found, name, getattr(found, name) + amount)
            found.seen[name] = ", ".join(sorted(mine ^ theirs))
    asked = [wanted(side) for side in pair.sides]
    if asked[0] != asked[1]:
        found.asked = 1.0 if apart(*asked) else 0.5 if asked[0] and asked[1] else 0.0
        found.seen["asked"] = " / ".join(", ".join(sorted(side)) or "-" for side in asked)
    if bool(plain[0] & PERSONS) != bool(plain[1] & PERSONS) and bool(plain[0] & OTHERS) != bool(
        plain[1] & OTHERS
    ):
        found.persons = 1.0
        found.seen["persons"] = "who is spoken of"
    scripts = [{_script(c) for w in side for c in w.plain if c.isalpha()} for side in pair.sides]
    found.script = float(bool(scripts[0] ^ scripts[1]))


def _script(letter: str) -> int:
    point = ord(letter)
    for number, end in enumerate((0x250, 0x400, 0x530, 0x600, 0x700, 0x1100, 0x2E80, 0xD800)):
        if point < end:
            return number
    return 99
