"""Write a language model of random weights that a llama.cpp server loads: nonsense words, real protocol.

python scripts/tiny_gguf.py FILE

The format is GGUF 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), written with the standard
library only. The words are few, so that a prompt costs about one token a character.
"""

from __future__ import annotations

import array
import random
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

WIDTH, LAYERS, HEADS, INNER, CONTEXT = 64, 2, 4, 128, 32768
ALIGNMENT = 32
U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9
I32 = 5
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
WORDS = """
    water river lake rain cloud stone hill field tree leaf root seed bread salt honey apple bird horse
    fox bear wolf house door roof wall floor bridge road wheel boat sail rope lamp candle fire smoke ash
    iron copper gold silver paper ink letter word voice song drum bell clock hour day night morning
    evening winter spring summer autumn red green blue white black small large quick slow warm cold
    quiet loud open shut under over near far and or with without before after is was gives takes holds
    turns runs stands falls rises the a one two three
""".split()  # noqa: SIM905 - a text is easier to read than a list

# Messages between marks, tools as a list of their schemas, calls as JSON inside <tool_call>: the form that
# many open models use, from which llama.cpp learns how to read a call back.
TEMPLATE = (
    "{%- if tools %}<|im_start|>system\n"
    "{%- if messages[0].role == 'system' %}{{ messages[0].content }}\n\n{% endif %}"
    "Functions that you may call:\n<tools>{% for tool in tools %}\n{{ tool | tojson }}{% endfor %}\n</tools>\n"
    'To call one, answer with <tool_call>\n{"name": NAME, "arguments": OBJECT}\n</tool_call><|im_end|>\n'
    "{%- elif messages[0].role == 'system' %}<|im_start|>system\n{{ messages[0].content }}<|im_end|>\n"
    "{%- endif %}"
    "{%- for message in messages %}"
    "{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{%- elif message.role == 'assistant' %}<|im_start|>assistant\n"
    "{%- if message.content %}{{ message.content }}{% endif %}"
    "{%- for call in message.tool_calls %}"
    '\n<tool_call>\n{"name": "{{ call.function.name }}", '
    '"arguments": {{ call.function.arguments | tojson }}}\n</tool_call>'
    "{%- endfor %}<|im_end|>\n"
    "{%- elif message.role == 'tool' %}"
    "<|im_start|>user\n<tool_response>\n{{ message.content }}\n</tool_response><|im_end|>\n"
    "{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Token(NamedTuple):
    """One entry of the vocabulary; `spoken` tokens are those that the model says by itself."""

    text: str
    score: float
    kind: int
    spoken: bool = False


def vocabulary() -> list[Token]:
    """Control tokens, the 256 bytes, words, and single characters for prompts and grammars."""
    tokens = [Token("<unk>", 0, UNKNOWN), Token("<s>", 0, CONTROL), Token("</s>", 0, CONTROL)]
    tokens += [Token(f"<0x{byte:02X}>", 0, BYTE) for byte in range(256)]
    tokens += [Token("<|im_start|>", 0, CONTROL), Token("<|im_end|>", 0, CONTROL, spoken=True)]
    tokens.append(Token("<tool_call>\n", 0, NORMAL))
    tokens += [Token(f"▁{word}", -float(at + 1), NORMAL, spoken=True) for at, word in enumerate(WORDS)]
    tokens += [Token(chr(code), -1000.0, NORMAL) for code in range(33, 127)]
    tokens.append(Token("▁", -1000.0, NORMAL))
    return tokens


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _list(kind: int, items: Iterable[bytes], count: int) -> bytes:
    return struct.pack("<IIQ", ARRAY, kind, count) + b"".join(items)


def _string(value: str) -> bytes:
    return struct.pack("<I", STRING) + _text(value)


def _number(value: int) -> bytes:
    return struct.pack("<II", U32, value)


def metadata(tokens: list[Token]) -> dict[str, bytes]:
    """The key-value part: architecture, tokenizer, chat template."""
    count = len(tokens)
    return {
        "general.architecture": _string("llama"),
        "general.name": _string("tiny-random"),
        "llama.context_length": _number(CONTEXT),
        "llama.embedding_length": _number(WIDTH),
        "llama.block_count": _number(LAYERS),
        "llama.feed_forward_length": _number(INNER),
        "llama.attention.head_count": _number(HEADS),
        "llama.attention.head_count_kv": _number(HEADS),
        "llama.attention.layer_norm_rms_epsilon": struct.pack("<If", F32, 1e-5),
        "llama.rope.dimension_count": _number(WIDTH // HEADS),
        "llama.vocab_size": _number(count),
        "tokenizer.ggml.model": _string("llama"),
        "tokenizer.ggml.tokens": _list(STRING, [_text(t.text) for t in tokens], count),
        "tokenizer.ggml.scores": _list(F32, [struct.pack("<f", t.score) for t in tokens], count),
        "tokenizer.ggml.token_type": _list(I32, [struct.pack("<i", t.kind) for t in tokens], count),
        "tokenizer.ggml.bos_token_id": _number(1),
        "tokenizer.ggml.eos_token_id": _number([t.text for t in tokens].index("<|im_end|>")),
        "tokenizer.ggml.unknown_token_id": _number(0),
        "tokenizer.ggml.add_bos_token": struct.pack("<I?", BOOL, True),  # noqa: FBT003 - a value of the format
        "tokenizer.ggml.add_eos_token": struct.pack("<I?", BOOL, False),  # noqa: FBT003
        "tokenizer.ggml.add_space_prefix": struct.pack("<I?", BOOL, False),  # noqa: FBT003
        "tokenizer.chat_template": _string(TEMPLATE),
    }


def tensors(tokens: list[Token]) -> dict[str, tuple[tuple[int, ...], array.array[float]]]:
    """Name → (shape with the fastest dimension first, values)."""
    draw = random.Random(7)

    def matrix(rows: int, columns: int, scale: float = 1.0) -> tuple[tuple[int, ...], array.array[float]]:
        spread = scale / columns**0.5
        return (columns, rows), array.array("f", [draw.gauss(0, spread) for _ in range(rows * columns)])

    def ones() -> tuple[tuple[int, ...], array.array[float]]:
        return (WIDTH,), array.array("f", [1.0] * WIDTH)

    shape, output = matrix(len(tokens), WIDTH, 2.0)
    for row, token in enumerate(tokens):
        if not token.spoken:  # silent, so that the text is words; a grammar can still force it
            output[row * WIDTH : (row + 1) * WIDTH] = array.array("f", [0.0] * WIDTH)
    made = {
        "token_embd.weight": matrix(len(tokens), WIDTH, 8.0),
        "output.weight": (shape, output),
        "output_norm.weight": ones(),
    }
    for layer in range(LAYERS):
        at = f"blk.{layer}."
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            made[f"{at}{name}.weight"] = matrix(WIDTH, WIDTH)
        made[f"{at}ffn_gate.weight"] = matrix(INNER, WIDTH)
        made[f"{at}ffn_up.weight"] = matrix(INNER, WIDTH)
        made[f"{at}ffn_down.weight"] = matrix(WIDTH, INNER)
        made[f"{at}attn_norm.weight"] = made[f"{at}ffn_norm.weight"] = ones()
    return made


def write(path: Path) -> None:
    """Write the whole file."""
    tokens = vocabulary()
    pairs, weights = metadata(tokens), tensors(tokens)
    head = [struct.pack("<4sIQQ", b"GGUF", 3, len(weights), len(pairs))]
    head += [_text(key) + value for key, value in pairs.items()]
    data = bytearray()
    for name, (shape, values) in weights.items():
        sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        head.append(_text(name) + sizes + struct.pack("<IQ", 0, len(data)))  # 0: 32-bit floats
        data += values.tobytes()
        data += bytes(-len(data) % ALIGNMENT)
    text = b"".join(head)
    path.write_bytes(text + bytes(-len(text) % ALIGNMENT) + data)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
