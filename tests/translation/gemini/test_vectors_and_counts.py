"""Embeddings and token counts across shapes."""

from __future__ import annotations

import pytest

from penstock.core.chat import ChatRequest, Message, ReplyUsage
from penstock.core.embedding import EmbedInput, EmbedReply, EmbedRequest, Vector, VectorForm
from penstock.core.errors import ShapeError
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.parts import Image, Inline, Text
from penstock.core.profile import profile_for
from penstock.core.usage import Usage
from penstock.dialects.gemini.count import decode_count, encode_count
from penstock.dialects.gemini.embed import GEMINI_EMBED_DIALECT
from penstock.ports.vectors import EmbedAsked
from penstock.providers.gemini import count
from penstock.providers.gemini.embed import GEMINI_EMBED, method_of
from penstock.providers.gemini.profile import DEFAULT, ROWS
from tests.translation.gemini.replay import to


def test_a_foreign_request_asks_for_all_vectors_at_once() -> None:
    """Each content is a request of its own, with the model, the task and the size."""
    losses = Losses()
    request = EmbedRequest(
        model="x",
        inputs=(
            EmbedInput((Text("a"),), title="T"),
            EmbedInput((Text("b"), Image(Inline("image/png", "AAAA"))), task="query"),
        ),
        dimensions=8,
        task="document",
        forms=(VectorForm("int8"),),
    )
    assert GEMINI_EMBED.encode_request(request, to("gemini-embedding-2", losses=losses)) == {
        "requests": [
            {
                "model": "models/gemini-embedding-2",
                "content": {"parts": [{"text": "a"}]},
                "title": "T",
                "taskType": "RETRIEVAL_DOCUMENT",
                "outputDimensionality": 8,
            },
            {
                "model": "models/gemini-embedding-2",
                "content": {
                    "parts": [{"text": "b"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]
                },
                "taskType": "RETRIEVAL_QUERY",
                "outputDimensionality": 8,
            },
        ]
    }
    assert method_of(request) == "batchEmbedContents"
    assert losses.warning() == "dropped=forms"
    with pytest.raises(UnsupportedError):
        GEMINI_EMBED.encode_request(EmbedRequest(model="x", inputs=(EmbedInput(tokens=(1,)),)), to())


def test_one_content_gets_one_vector_and_many_get_a_list() -> None:
    """The answer has the form of the question; packed vectors are unpacked."""
    body = {"content": {"parts": [{"text": "a"}]}, "taskType": "CLUSTERING", "outputDimensionality": 2}
    one = GEMINI_EMBED_DIALECT.decode_request(body, "m")
    assert (one.task, one.dimensions, one.inputs[0].parts) == ("clustering", 2, (Text("a"),))
    assert method_of(one) == "embedContent"
    assert GEMINI_EMBED.encode_request(one, to()) == body
    reply = EmbedReply(
        model="x",
        vectors=(Vector(0, "AACAPwAAAEA="),),
        usage=ReplyUsage(Usage(input_tokens=3)),
    )
    assert GEMINI_EMBED_DIALECT.encode_reply(reply, EmbedAsked(one, "m", "r")) == {
        "embedding": {"values": [1.0, 2.0]},
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 0, "totalTokenCount": 3},
    }
    many = GEMINI_EMBED_DIALECT.decode_request(
        {"requests": [body, {**body, "taskType": "CLASSIFICATION"}]}, "m"
    )
    assert [each.task for each in many.inputs] == ["clustering", "classification"]
    assert many.task is None
    assert GEMINI_EMBED_DIALECT.encode_reply(
        EmbedReply(vectors=(Vector(0, (1,)),)), EmbedAsked(many, "m", "r")
    ) == {"embeddings": [{"values": [1]}]}


def test_counts_are_asked_of_either_api_in_its_form() -> None:
    """The Gemini API wants a whole request inside, Vertex AI its fields beside each other."""
    request = ChatRequest(
        model="x",
        messages=(Message("system", (Text("Be brief."),)), Message("user", (Text("hi"),))),
        top_k=3,
    )
    inner = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"topK": 3},
    }
    asked = count.encode_count(request, to("gemini-x"))
    assert asked == {"generateContentRequest": {"model": "models/gemini-x", **inner}}
    assert count.encode_count(request, to("gemini-x"), vertex=True) == inner
    again = decode_count(asked, "gemini-x")
    assert [each.role for each in again.messages] == ["system", "user"]
    assert count.encode_count(again, to("gemini-x")) == asked


def test_a_count_is_the_input_of_a_usage() -> None:
    """Other vendors' counts become Google's; what cannot be read is refused."""
    usage = ReplyUsage(Usage(input_tokens=7, cache_read_tokens=2))
    assert encode_count(usage) == {"totalTokens": 7, "cachedContentTokenCount": 2}
    assert count.decode_count({"totalTokens": 7}).counts == Usage(input_tokens=7)
    assert count.decode_count({}).counts == Usage()
    with pytest.raises(ShapeError):
        count.decode_count({"totalTokens": "many"})


@pytest.mark.parametrize(
    ("model", "thinking", "plain_schema"),
    [
        ("gemini-1.5-pro", "none", False),
        ("gemini-2.0-flash-lite", "none", False),
        ("gemini-2.5-flash", "budget", True),
        ("gemini-2.5-pro-preview-05-06", "budget", True),
        ("gemini-3-pro-preview", "effort", True),
        ("gemini-3.5-flash", "effort", True),
        ("gemini-3-pro-image-preview", "none", True),
        ("gemini-pro-latest", "effort", True),
        ("gemini-2.5-flash-preview-tts", "none", False),
        ("gemma-3-27b-it", "none", False),
    ],
)
def test_models_have_the_profile_of_their_family(model: str, thinking: str, *, plain_schema: bool) -> None:
    """Unknown names are taken for the newest family."""
    profile = profile_for(model, ROWS, DEFAULT)
    assert profile.thinking == thinking
    assert ("schema.json" not in profile.lacks) is plain_schema
