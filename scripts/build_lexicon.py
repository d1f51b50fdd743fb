"""`python scripts/build_lexicon.py DICT_DIR`: the table of word relations that the cache's verifier reads.

DICT_DIR holds WordNet 3.0 (Debian: wordnet-base, /usr/share/wordnet; licence in
`src/penstock/cache/WORDNET.txt`). Kept are single words and verbs of two words with their first senses, what
stands above those, opposites, and irregular forms. One relation a line, tab between fields, compressed:

    w  word  part-of-speech  sense sense …      senses in the order of their frequency
    s  sense  broader sense …                   for adjectives: the head that it is similar to
    o  word  opposite
    i  irregular form  word
"""

from __future__ import annotations

import lzma
import re
import sys
from pathlib import Path

OUT = Path(__file__).parents[1] / "src" / "penstock" / "cache" / "lexicon.tsv.xz"
PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
MOST_SENSES = {"n": 3, "v": 4, "a": 4, "r": 3}
_WORD = re.compile(r"[a-z]{2,}")
_VERB = re.compile(r"[a-z]{2,}(_[a-z]{2,})?")


def kept(word: str, part: str) -> bool:
    """Whether the table has room for it."""
    return bool((_VERB if part == "v" else _WORD).fullmatch(word))


def read_index(folder: Path, name: str, part: str) -> dict[str, list[str]]:
    """Senses by word."""
    found: dict[str, list[str]] = {}
    for line in (folder / f"index.{name}").read_text().splitlines():
        if line.startswith(" "):
            continue
        fields = line.split()
        word, pointers = fields[0], int(fields[3])
        senses = fields[4 + pointers + 2 :]
        if kept(word, part):
            found[word] = [part + sense for sense in senses[: MOST_SENSES[part]]]
    return found


def read_data(folder: Path, name: str, part: str) -> tuple[dict[str, list[str]], set[tuple[str, str]]]:
    """What stands above each sense, and opposites as (sense, place) pairs resolved to words later."""
    above: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    opposite: list[tuple[str, int, str, int]] = []
    for line in (folder / f"data.{name}").read_text().splitlines():
        if line.startswith(" "):
            continue
        fields = line.split("|")[0].split()
        sense = part + fields[0]
        count = int(fields[3], 16)
        words[sense] = [re.sub(r"\(.*\)", "", w).lower() for w in fields[4 : 4 + 2 * count : 2]]
        at = 4 + 2 * count + 1
        for k in range(int(fields[4 + 2 * count])):
            kind, other, where, places = fields[at + 4 * k : at + 4 * k + 4]
            target = {"s": "a"}.get(where, where) + other
            if kind in {"@", "@i"} or (kind == "&" and part == "a"):
                above.setdefault(sense, []).append(target)
            elif kind == "!" and target.startswith(part):
                opposite.append((sense, int(places[:2], 16) - 1, target, int(places[2:], 16) - 1))  # noqa: FURB166 - two digits of four
    pairs = {(words[a][i], words[b][j]) for a, i, b, j in opposite}
    return above, {(a, b) for a, b in pairs if kept(a, part) and kept(b, part)}


def main() -> int:
    """Write the table."""
    folder = Path(sys.argv[1])
    lines: list[str] = []
    number: dict[str, str] = {}

    def short(sense: str) -> str:
        return number.setdefault(sense, f"{sense[0]}{len(number):x}")

    for name, part in PARTS.items():
        senses = read_index(folder, name, part)
        above, opposites = read_data(folder, name, part)
        for word, found in sorted(senses.items()):
            lines.append(f"w\t{word}\t{part}\t{' '.join(short(s) for s in found)}")
        wanted = {s for found in senses.values() for s in found}
        if part in {"n", "a", "v"}:
            # Two steps up are asked for, no more.
            wanted |= {up for s in wanted for up in above.get(s, [])}
            lines += [
                f"s\t{short(s)}\t{' '.join(short(u) for u in above[s])}" for s in sorted(wanted) if s in above
            ]
        lines += [f"o\t{a}\t{b}" for a, b in sorted(opposites)]
        for line in (folder / f"{name}.exc").read_text().splitlines():
            form, *roots = line.split()
            if roots and kept(form, part) and roots[0] in senses:
                lines.append(f"i\t{form}\t{roots[0]}")
    data = lzma.compress(("\n".join(lines) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME)
    OUT.write_bytes(data)
    print(f"{len(lines)} relations, {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
