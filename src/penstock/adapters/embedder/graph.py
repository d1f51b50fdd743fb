"""A BERT encoder as an ONNX graph, made from its weights and its published shape; no training framework needed.

The architecture is BERT's (Devlin et al., arXiv 1810.04805): embeddings of words, places and segments,
normalised; layers of self-attention and a two-layer perceptron, each added to its input and normalised after.
On top, what sentence transformers do (Reimers and Gurevych, arXiv 1908.10084): the mean over the text's
tokens, of length one.

The three projections of attention are one matrix product here, so that dynamic quantisation measures its input
once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
IR_VERSION = 9
# What a masked place adds to its attention score: e**-10000 is 0 in float32.
MASKED = -1e4


class GraphError(ValueError):
    """The weights do not belong to a graph that can be built; the sentence says why."""


@dataclass(frozen=True, slots=True)
class BertShape:
    """What `config.json` says of a BERT encoder."""

    hidden: int
    layers: int
    heads: int
    epsilon: float

    @classmethod
    def read(cls, text: str) -> BertShape:
        """From the text of a `config.json`. Raises GraphError."""
        try:
            told = json.loads(text)
            shape = cls(
                hidden=int(told["hidden_size"]),
                layers=int(told["num_hidden_layers"]),
                heads=int(told["num_attention_heads"]),
                epsilon=float(told.get("layer_norm_eps", 1e-12)),
            )
            kind, act = told.get("model_type", "bert"), told.get("hidden_act", "gelu")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GraphError(f"config.json does not describe an encoder: {error!r}") from None
        if kind != "bert" or act != "gelu":
            raise GraphError(f"only BERT encoders with gelu can be built, this is {kind!r} with {act!r}")
        if shape.hidden % shape.heads:
            raise GraphError("config.json: hidden_size is no multiple of num_attention_heads")
        return shape


class _Graph:
    """Nodes in order, and the constants they use."""

    def __init__(self, weights: Mapping[str, NDArray[Any]], epsilon: float) -> None:
        self._weights = weights
        self._epsilon = epsilon
        self._constants: dict[str, onnx.TensorProto] = {}
        self.nodes: list[onnx.NodeProto] = []

    def constants(self) -> list[onnx.TensorProto]:
        return list(self._constants.values())

    def weight(self, name: str) -> NDArray[np.float32]:
        try:
            return np.asarray(self._weights[name], dtype=np.float32)
        except KeyError:
            raise GraphError(f"the weights lack {name!r}; is this a BERT encoder?") from None

    def constant(self, name: str, value: Any, kind: type = np.int64) -> str:
        if name not in self._constants:
            library: Any = np
            self._constants[name] = numpy_helper.from_array(library.ascontiguousarray(value, dtype=kind), name)
        return name

    def op(self, kind: str, *inputs: str, outputs: tuple[str, ...] = (), **attributes: Any) -> str:
        names = outputs or (f"{kind.lower()}_{len(self.nodes)}",)
        self.nodes.append(helper.make_node(kind, list(inputs), list(names), **attributes))
        return names[0]

    def norm(self, x: str, prefix: str) -> str:
        scale = self.constant(f"{prefix}.weight", self.weight(f"{prefix}.weight"), np.float32)
        bias = self.constant(f"{prefix}.bias", self.weight(f"{prefix}.bias"), np.float32)
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=self._epsilon)

    def linear(self, x: str, *prefixes: str) -> str:
        """One product for all the layers named, side by side."""
        name = "|".join(prefixes)
        matrix = np.concatenate([self.weight(f"{prefix}.weight").T for prefix in prefixes], axis=1)
        bias = np.concatenate([self.weight(f"{prefix}.bias") for prefix in prefixes])
        product = self.op("MatMul", x, self.constant(f"{name}.matrix", matrix, np.float32))
        return self.op("Add", product, self.constant(f"{name}.offset", bias, np.float32))


def sentence_encoder(weights: Mapping[str, NDArray[Any]], shape: BertShape) -> onnx.ModelProto:
    """The graph: `input_ids` and `attention_mask` (texts, tokens) int64 → `embedding` (texts, hidden) float32.

    `weights` by the names that a BERT checkpoint has, with or without the prefix `bert.`. Raises GraphError.
    """
    graph = _Graph({name.removeprefix("bert."): array for name, array in weights.items()}, shape.epsilon)
    mask = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    x = _embeddings(graph)
    bias = _mask_bias(graph, mask)
    for layer in range(shape.layers):
        x = _layer(graph, x, bias, f"encoder.layer.{layer}", shape)
    _pool(graph, x, mask)
    names = ("input_ids", "attention_mask")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in names]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", shape.hidden])
    made = helper.make_graph(graph.nodes, "sentence_encoder", inputs, [output], graph.constants())
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    checker: Any = onnx.checker
    checker.check_model(model)
    return model


def _embeddings(graph: _Graph) -> str:
    table = graph.constant("words", graph.weight("embeddings.word_embeddings.weight"), np.float32)
    # The segment is always the first one, so its vector is part of every place's.
    places = graph.weight("embeddings.position_embeddings.weight")
    places = places + graph.weight("embeddings.token_type_embeddings.weight")[0]
    length = graph.op(
        "Slice", graph.op("Shape", "input_ids"), graph.constant("one", [1]), graph.constant("two", [2])
    )
    at = graph.op(
        "Slice", graph.constant("places", places, np.float32), graph.constant("zero", [0]), length, "zero"
    )
    x = graph.op("Add", graph.op("Gather", table, "input_ids", axis=0), at)
    return graph.norm(x, "embeddings.LayerNorm")


def _mask_bias(graph: _Graph, mask: str) -> str:
    """0 where a token is, MASKED where none is: (texts, 1, 1, tokens)."""
    away = graph.op("Sub", graph.constant("unit", 1.0, np.float32), mask)
    scaled = graph.op("Mul", away, graph.constant("masked", MASKED, np.float32))
    return graph.op("Unsqueeze", scaled, graph.constant("inner", [1, 2]))


def _layer(graph: _Graph, x: str, bias: str, prefix: str, shape: BertShape) -> str:
    size = shape.hidden // shape.heads
    own = f"{prefix}.attention.self"
    mixed = graph.linear(x, f"{own}.query", f"{own}.key", f"{own}.value")
    by_head = graph.op("Reshape", mixed, graph.constant("by_head", [0, 0, 3, shape.heads, size]))
    # (which, texts, heads, tokens, size): one transpose for the three.
    turned = graph.op("Transpose", by_head, perm=[2, 0, 3, 1, 4])
    parts = tuple(f"{prefix}.{name}" for name in ("query", "key", "value"))
    graph.op("Split", turned, outputs=tuple(f"{part}.split" for part in parts), axis=0, num_outputs=3)
    query, key, value = (graph.op("Squeeze", f"{part}.split", "zero") for part in parts)
    scores = graph.op("MatMul", query, graph.op("Transpose", key, perm=[0, 1, 3, 2]))
    scaled = graph.op("Mul", scores, graph.constant("scale", 1.0 / np.sqrt(size), np.float32))
    attention = graph.op("Softmax", graph.op("Add", scaled, bias), axis=-1)
    seen = graph.op("Transpose", graph.op("MatMul", attention, value), perm=[0, 2, 1, 3])
    joined = graph.op("Reshape", seen, graph.constant("joined", [0, 0, shape.hidden]))
    out = graph.linear(joined, f"{prefix}.attention.output.dense")
    x = graph.norm(graph.op("Add", out, x), f"{prefix}.attention.output.LayerNorm")
    wide = graph.op("Gelu", graph.linear(x, f"{prefix}.intermediate.dense"))
    narrow = graph.linear(wide, f"{prefix}.output.dense")
    return graph.norm(graph.op("Add", narrow, x), f"{prefix}.output.LayerNorm")


def _pool(graph: _Graph, x: str, mask: str) -> None:
    """The mean over the tokens that are there, of length one."""
    weights = graph.op("Unsqueeze", mask, graph.constant("last", [2]))
    total = graph.op("ReduceSum", graph.op("Mul", x, weights), "one", keepdims=0)
    mean = graph.op("Div", total, graph.op("ReduceSum", weights, "one", keepdims=0))
    length = graph.op("ReduceL2", mean, "one", keepdims=1)
    graph.op("Div", mean, length, outputs=("embedding",))
