"""Long material cut down to what bears on the question. What is left out is lost: off unless a route says so.

Sentences of documents and tools' results are weighed by the words that they share with the last question, rare
words more than frequent ones (BM25, Robertson and Zaragoza 2009), and by their neighbours; the best are kept in
their order, the first one always. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from math import log

from msgspec.structs import replace

from penstock.core.chat import ChatRequest, Message
from penstock.core.parts import Document, Part, Plain, Text, ToolResult

LEAST_CHARS = 2_000
_MOST_CHARS = 1_000_000
_GAP = "[…]"
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[^\n.!?]*(?:[.!?](?=[^\s])[^\n.!?]*)*(?:[.!?]+[\"')\]]*\s*|\n+|$)")
_K, _B = 1.2, 0.75
_NEIGHBOUR = 0.3
# Enough of a word to know it by, whatever its ending.
_STEM = 6


def extracted(chat: ChatRequest, keep: float) -> tuple[ChatRequest, int]:
    """The request with long material cut to the share `keep` of its characters, and how many were left out.

    JSON is not cut: half an object says something else. Nor is anything cut where nobody asks a question.
    """
    question = _question(chat)
    words = words_of(question)
    if not words:
        return chat, 0
    lost = 0
    messages: list[Message] = []
    for message in chat.messages:
        parts: list[Part] = []
        for part in message.parts:
            new = _cut(part, words, keep)
            parts.append(new)
        same = all(new is old for new, old in zip(parts, message.parts, strict=True))
        messages.append(message if same else replace(message, parts=tuple(parts)))
        lost += sum(_chars(old) - _chars(new) for new, old in zip(parts, message.parts, strict=True))
    return replace(chat, messages=tuple(messages)), lost


def _question(chat: ChatRequest) -> str:
    """The words of the last user turn that has any."""
    for message in reversed(chat.messages):
        if message.role == "user":
            said = " ".join([part.text for part in message.parts if isinstance(part, Text)])
            if said.strip():
                return said
    return ""


def _cut(part: Part, words: Counter[str], keep: float) -> Part:
    if isinstance(part, Document) and isinstance(part.source, Plain):
        text = shortened(part.source.text, words, keep)
        return part if text == part.source.text else replace(part, source=Plain(text))
    if isinstance(part, ToolResult):
        content = tuple(
            [replace(each, text=shortened(each.text, words, keep)) if isinstance(each, Text) else each
             for each in part.content]
        )  # fmt: skip
        return part if content == part.content else replace(part, content=content)
    return part


def _chars(part: Part) -> int:
    if isinstance(part, Document) and isinstance(part.source, Plain):
        return len(part.source.text)
    if isinstance(part, ToolResult):
        return sum(len(each.text) for each in part.content if isinstance(each, Text))
    return 0


def shortened(text: str, question: Counter[str], keep: float) -> str:
    """A text cut to the share `keep` of its characters; as it is where it is short, or JSON."""
    bare = text.strip()
    if not LEAST_CHARS <= len(text) <= _MOST_CHARS or bare[:1] + bare[-1:] in ("{}", "[]"):
        return text
    sentences = [each for each in _SENTENCE.findall(text) if each]
    weights = _weights([words_of(each) for each in sentences], question)
    order = sorted(range(len(sentences)), key=lambda index: (-weights[index], index))
    budget = len(text) * keep
    kept = {0}
    used = len(sentences[0])
    for index in order:
        if index not in kept and used + len(sentences[index]) <= budget:
            kept.add(index)
            used += len(sentences[index])
    out: list[str] = []
    for index, sentence in enumerate(sentences):
        if index in kept:
            out.append(sentence)
        elif index - 1 in kept:
            out.append(f"{_GAP}\n" if sentence.endswith("\n") else f"{_GAP} ")
    return "".join(out)


def _weights(sentences: list[Counter[str]], question: Counter[str]) -> list[float]:
    count = len(sentences)
    found_in = Counter(word for sentence in sentences for word in sentence if word in question)
    rarity = {word: log(1.0 + (count - n + 0.5) / (n + 0.5)) for word, n in found_in.items()}
    mean = sum(sum(sentence.values()) for sentence in sentences) / count or 1.0
    own = [
        sum(
            rarity[word] * times * (_K + 1.0) / (times + _K * (1.0 - _B + _B * sum(sentence.values()) / mean))
            for word, times in sentence.items()
            if word in rarity
        )
        for sentence in sentences
    ]
    around = [0.0, *own, 0.0]
    return [weight + _NEIGHBOUR * max(around[at], around[at + 2]) for at, weight in enumerate(own)]


def words_of(text: str) -> Counter[str]:
    """The words of a text, by how often they stand there, without their endings."""
    return Counter([word[:_STEM] for word in _WORD.findall(text.casefold()) if len(word) > 1])
