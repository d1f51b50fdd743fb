"""Embeddings between clients' words and vendors'."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.core.chat import ReplyUsage
from penstock.core.embedding import EmbedInput, EmbedReply, EmbedRequest, Vector, VectorForm
from penstock.core.errors import ShapeError
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.parts import Image, Inline, Link, Text
from penstock.core.profile import Profile
from penstock.core.usage import Usage
from penstock.dialects.cohere.embed import CohereEmbedDialect
from penstock.dialects.embeddings.dialect import EmbeddingsDialect
from penstock.dialects.ollama.embed import OllamaEmbedDialect
from penstock.ports.translation import Addressee
from penstock.ports.vectors import EmbedAsked, EmbedProvider
from penstock.providers.cohere.embed import COHERE_EMBED
from penstock.providers.embeddings.api import (
    JINA_EMBEDDINGS,
    MISTRAL_EMBEDDINGS,
    OPENAI_EMBEDDINGS,
    PERPLEXITY_EMBEDDINGS,
    VOYAGE_EMBEDDINGS,
)
from penstock.providers.ollama.embed import OLLAMA_EMBED
from penstock.shapes.embeddings.numbers import pack, unpack

OPENAI = EmbeddingsDialect()
Encoded = tuple[dict[str, Any], list[str], list[str]]


def encoded(body: dict[str, Any], provider: EmbedProvider) -> Encoded:
    """A client's request in a vendor's words, without the model's name, and what was mapped and lost."""
    losses = Losses()
    written = provider.encode_request(OPENAI.decode_request(body, "m"), Addressee("v", Profile(), losses))
    assert written.pop("model") == "v"
    return written, losses.mapped, losses.dropped


FULL: dict[str, Any] = {
    "model": "m",
    "input": ["a", "b"],
    "dimensions": 256,
    "encoding_format": "base64",
    "input_type": "query",
    "truncate": "START",
    "user": "u",
}
CASES: list[tuple[dict[str, Any], EmbedProvider, Encoded]] = [
    (FULL, OPENAI_EMBEDDINGS, ({name: FULL[name] for name in FULL if name != "model"}, [], [])),
    (FULL, COHERE_EMBED, ({"texts": ["a", "b"], "input_type": "search_query", "embedding_types": ["base64"],
                           "output_dimension": 256, "truncate": "START"}, [], [])),
    (FULL, VOYAGE_EMBEDDINGS, ({"input": ["a", "b"], "input_type": "query", "output_dimension": 256,
                                "encoding_format": "base64", "truncation": True}, ["truncate"], [])),
    (FULL, JINA_EMBEDDINGS, ({"input": ["a", "b"], "task": "retrieval.query", "dimensions": 256,
                              "embedding_type": "base64", "truncate": True}, ["truncate"], [])),
    (FULL, MISTRAL_EMBEDDINGS, ({"input": ["a", "b"], "output_dimension": 256, "encoding_format": "base64"}, [],
                                ["task", "truncate"])),
    (FULL, OLLAMA_EMBED, ({"input": ["a", "b"], "dimensions": 256, "truncate": True}, ["truncate"], ["task"])),
    ({"input": "a"}, COHERE_EMBED, (
        {"texts": ["a"], "input_type": "search_document", "embedding_types": ["float"]}, [], [])),
    ({"input": "a", "encoding_format": "float"}, VOYAGE_EMBEDDINGS, ({"input": ["a"]}, [], [])),
    ({"input": "a", "output_dtype": "int8"}, VOYAGE_EMBEDDINGS, (
        {"input": ["a"], "output_dtype": "int8"}, [], [])),
    ({"input": "a", "output_dtype": "int8"}, COHERE_EMBED, ({"texts": ["a"], "input_type": "search_document",
                                                             "embedding_types": ["int8"]}, [], [])),
    ({"input": "a", "output_dtype": "int8"}, OLLAMA_EMBED, ({"input": ["a"]}, [], ["forms"])),
    ({"input": "a", "embedding_type": ["float", "ubinary"]}, COHERE_EMBED, (
        {"texts": ["a"], "input_type": "search_document", "embedding_types": ["float", "ubinary"]}, [], [])),
    ({"input": "a", "task": "text-matching"}, COHERE_EMBED, (
        {"texts": ["a"], "input_type": "clustering", "embedding_types": ["float"]}, ["task"], [])),
    ({"input": "a", "truncation": False}, COHERE_EMBED, (
        {"texts": ["a"], "input_type": "search_document", "embedding_types": ["float"], "truncate": "NONE"},
        [], [])),
    ({"input": [{"image": "https://example.com/a.png"}, "a"]}, COHERE_EMBED, (
        {"inputs": [{"content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
                    {"content": [{"type": "text", "text": "a"}]}],
         "input_type": "search_document", "embedding_types": ["float"]}, [], [])),
    ({"input": "a", "title": "T", "task_type": "RETRIEVAL_DOCUMENT", "auto_truncate": True}, COHERE_EMBED, (
        {"texts": ["T\na"], "input_type": "search_document", "embedding_types": ["float"], "truncate": "END"},
        [], [])),
    ({"input": "a", "title": "T", "task_type": "RETRIEVAL_DOCUMENT"}, OPENAI_EMBEDDINGS, (
        {"input": "a", "title": "T", "task_type": "RETRIEVAL_DOCUMENT"}, [], [])),
    ({"input": [{"image": "QUJD"}, {"text": "a"}]}, JINA_EMBEDDINGS, (
        {"input": [{"image": "QUJD"}, "a"]}, [], [])),
]  # fmt: skip


@pytest.mark.parametrize(("body", "provider", "wanted"), CASES)
def test_a_clients_words_in_a_vendors(body: dict[str, Any], provider: EmbedProvider, wanted: Encoded) -> None:
    """Each setting reaches the vendor in its own words, and what it has none for is named."""
    assert encoded(body, provider) == wanted


def test_what_cannot_be_said_at_all() -> None:
    """Tokens and pictures that a vendor cannot take are refused: an answer would be about something else."""
    for provider in (COHERE_EMBED, OLLAMA_EMBED, VOYAGE_EMBEDDINGS, MISTRAL_EMBEDDINGS):
        with pytest.raises(UnsupportedError, match="tokens"):
            encoded({"input": [1, 2]}, provider)
    for provider in (OLLAMA_EMBED, VOYAGE_EMBEDDINGS):
        with pytest.raises(UnsupportedError):
            encoded({"input": [{"image": "QUJD"}]}, provider)


@pytest.mark.parametrize(
    "body",
    [{}, {"input": 3}, {"input": [True]}, {"input": [["a"]]}, {"input": "a", "dimensions": "3"}],
)
def test_wrong_requests(body: dict[str, Any]) -> None:
    """What is no request is refused, and the field is named."""
    with pytest.raises(ShapeError, match=r"input|dimensions"):
        OPENAI.decode_request(body, "m")


def test_tokens_and_strings_keep_their_form() -> None:
    """A string, tokens, lists and objects go to the same shape as they came."""
    for value in (
        "a",
        ["a"],
        [1, 2],
        [[1], [2]],
        {"text": "a"},
        [{"image": "QUJD", "id": 3}],
        [],
        [{"odd": 1}],
    ):
        assert encoded({"input": value}, OPENAI_EMBEDDINGS)[0] == {"input": value}


def test_a_changed_setting_is_written() -> None:
    """A setting that the gateway changes is written, in the word that OpenAI has for it."""
    old = OPENAI.decode_request({"input": "a", "output_dimension": 5, "encoding_format": "base64"}, "m")
    new = EmbedRequest(model="m", inputs=old.inputs, dimensions=7, forms=old.forms, extras=old.extras)
    assert OPENAI_EMBEDDINGS.encode_request(new, Addressee("m", Profile(), Losses())) == {
        "model": "m",
        "input": "a",
        "dimensions": 7,
        "encoding_format": "base64",
    }


def asked(body: dict[str, Any]) -> EmbedAsked:
    """What an encoder is told of a request."""
    return EmbedAsked(OPENAI.decode_request({"input": ["a", "b"], **body}, "m"), "m", "r1")


COHERE_REPLY: dict[str, Any] = {
    "id": "c-1",
    "embeddings": {"int8": [[1, -2], [3, 4]], "float": [[0.5, -0.25], [1.0, 2.0]]},
    "texts": ["a", "b"],
    "meta": {"billed_units": {"input_tokens": 3, "image_tokens": 2}},
    "response_type": "embeddings_by_type",
}


def test_coheres_vectors_for_a_client_of_openai() -> None:
    """One vector for each input, in the form that was asked for; text and image tokens are the prompt's."""
    reply = COHERE_EMBED.decode_reply(COHERE_REPLY, EmbedRequest(model="m"))
    assert reply.usage is not None
    assert reply.usage.counts == Usage(5, image_input_tokens=2)
    for form, values in (
        ({}, [[0.5, -0.25], [1.0, 2.0]]),
        ({"encoding_format": "base64"}, ["AAAAPwAAgL4=", "AACAPwAAAEA="]),
        ({"output_dtype": "int8"}, [[1, -2], [3, 4]]),
    ):
        assert OPENAI.encode_reply(reply, asked(form)) == {
            "id": "embd-r1",
            "object": "list",
            "model": "m",
            "data": [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(values)],
            "usage": {"prompt_tokens": 5, "total_tokens": 5},
        }
    assert CohereEmbedDialect().encode_reply(reply, asked({})) == COHERE_REPLY


def test_openais_vectors_for_other_clients() -> None:
    """Packed vectors are unpacked for whoever wants lists, and Cohere's clients get theirs by type."""
    body = {
        "object": "list",
        "model": "big",
        "data": [{"object": "embedding", "index": 0, "embedding": "AAAAPwAAgL4="}],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
    reply = OPENAI_EMBEDDINGS.decode_reply(
        body, EmbedRequest(model="m", forms=(VectorForm("float", packed=True),))
    )
    request = EmbedRequest(model="m", inputs=(EmbedInput((Text("a"),)),))
    assert OllamaEmbedDialect().encode_reply(reply, EmbedAsked(request, "m", "r1")) == {
        "model": "big",
        "embeddings": [[0.5, -0.25]],
        "prompt_eval_count": 4,
    }
    assert CohereEmbedDialect().encode_reply(reply, EmbedAsked(request, "m", "r1")) == {
        "id": "embed-r1",
        "embeddings": {"float": [[0.5, -0.25]]},
        "texts": ["a"],
        "response_type": "embeddings_by_type",
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4}},
    }


def test_whole_numbers_for_a_client_that_wants_floats() -> None:
    """Perplexity packs whole numbers alone: a client that asked for packed floats gets floats."""
    assert encoded({"input": "a", "encoding_format": "base64"}, PERPLEXITY_EMBEDDINGS) == (
        {"input": ["a"], "encoding_format": "base64_int8"}, ["forms"], [],
    )  # fmt: skip
    body = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": "Af4="}], "model": "p"}
    for form, value in (({"encoding_format": "base64"}, "AACAPwAAAMA="), ({}, [1, -2])):
        told = asked(form)
        reply = PERPLEXITY_EMBEDDINGS.decode_reply(body, told.request)
        assert OPENAI.encode_reply(reply, told)["data"][0]["embedding"] == value
    told = asked({"encoding_format": "base64_int8"})
    assert OPENAI.encode_reply(PERPLEXITY_EMBEDDINGS.decode_reply(body, told.request), told) == body


def test_changed_usage_and_vectors_are_written() -> None:
    """Nothing kept aside shadows a count or a vector that the pivot has."""
    body = {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [1.5]}],
        "usage": {"prompt_tokens": 4, "total_tokens": 4, "later": True},
    }
    reply = OPENAI_EMBEDDINGS.decode_reply(body, EmbedRequest(model="m"))
    assert reply.usage is not None
    changed = EmbedReply(
        vectors=(Vector(0, (2.5,), extras=reply.vectors[0].extras),),
        usage=ReplyUsage(Usage(9), extras=reply.usage.extras),
        extras=reply.extras,
    )
    assert OPENAI.encode_reply(changed, asked({})) == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [2.5]}],
        "usage": {"prompt_tokens": 9, "total_tokens": 9, "later": True},
    }


def test_version_1_of_cohere() -> None:
    """Version 1 gives floats without a type, and gets them back so."""
    body = {"id": "x", "embeddings": [[0.5]], "texts": ["a"], "response_type": "embeddings_floats"}
    reply = COHERE_EMBED.decode_reply(body, EmbedRequest(model="m"))
    assert reply.vectors == (Vector(0, (0.5,)),)
    assert CohereEmbedDialect().encode_reply(reply, asked({})) == body


def test_a_cohere_client_with_pictures() -> None:
    """A Cohere client's texts, pictures and mixed inputs go back as they came."""
    bodies: list[dict[str, Any]] = [
        {"texts": ["a"], "input_type": "search_query", "embedding_types": ["int8", "base64"],
         "truncate": "END"},
        {"images": ["data:image/png;base64,QUJD"], "input_type": "image"},
        {"inputs": [{"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://e"}}]}],
         "input_type": "classification", "max_tokens": 3},
    ]  # fmt: skip
    for body in bodies:
        request = CohereEmbedDialect().decode_request(body, "m")
        assert COHERE_EMBED.encode_request(request, Addressee("m", Profile(), Losses("error"))) == {
            **body,
            "model": "m",
        }
    image = CohereEmbedDialect().decode_request(bodies[1], "m").inputs[0].parts[0]
    assert image == Image(Inline("image/png", "QUJD"))
    mixed = CohereEmbedDialect().decode_request(bodies[2], "m").inputs[0].parts
    assert mixed == (Text("a"), Image(Link("https://e")))


def test_packing() -> None:
    """Numbers of each type survive packing; what does not fit is not packed, what is no base64 not unpacked."""
    assert unpack(pack((0.5, -2.0), "float") or "", "float") == (0.5, -2.0)
    assert unpack(pack((-128, 127), "int8") or "", "int8") == (-128, 127)
    assert unpack(pack((0, 255), "ubinary") or "", "ubinary") == (0, 255)
    assert pack((300,), "int8") is None
    assert pack((1e300,), "float") is None
    assert unpack("?", "float") is None
    assert unpack("QUJD", "float") is None
