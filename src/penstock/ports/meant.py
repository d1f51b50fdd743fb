"""How the gateway and the inference process speak of kept questions."""

from __future__ import annotations

from typing import Literal

import msgspec


class MeantWish(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a question of kind `semantic` is about; digests and keys in hexadecimal digits.

    `look`: threshold, bound, verify, shadow and now_ms say how. `keep`: `entry` has its answer until `ends_ms`.
    `forget`: entries whose key begins with `entry`, or all where it is empty.
    """

    op: Literal["look", "keep", "forget"]
    space: str = ""
    context: str = ""
    entry: str = ""
    threshold: float = 0.0
    bound: float = 0.0
    verify: str = "words"
    shadow: bool = False
    now_ms: int = 0
    ends_ms: int = 0


class MeantTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to `look`: see ports.semantic.Near."""

    entry: str = ""
    similarity: float = 0.0
    reason: str = "none"
    wants: bool = False


write_wish = msgspec.json.Encoder().encode
read_wish = msgspec.json.Decoder(MeantWish).decode
write_told = msgspec.json.Encoder().encode
read_told = msgspec.json.Decoder(MeantTold).decode
