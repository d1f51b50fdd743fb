"""The vendors' APIs by the shape of their JSON, each imported when a target first needs it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from penstock.core.errors import Refusal
from penstock.ports.media import ImageApi, SpeechApi, TranscriptApi, VideoApi
from penstock.ports.translation import ChatProvider
from penstock.ports.vectors import EmbedProvider, RerankProvider
from penstock.providers.embeddings import flavours

_CHAT: dict[str, tuple[str, tuple[object, ...]]] = {
    "openai.chat": ("openai_chat.api:OpenaiChatProvider", ()),
    "openai.completions": ("openai_completions.api:OpenaiCompletionsProvider", ()),
    "openai.responses": ("openai_responses.api:OpenaiResponsesProvider", ()),
    "anthropic": ("anthropic.api:AnthropicProvider", ()),
    "vertex.anthropic": ("anthropic.api:AnthropicProvider", ("vertex",)),
    "bedrock.anthropic": ("anthropic.invoke:InvokeProvider", ()),
    "gemini": ("gemini.api:GeminiProvider", ()),
    "converse": ("converse.api:ConverseProvider", ()),
    "cohere": ("cohere.api:CohereProvider", ()),
    "mistral": ("mistral.api:MistralProvider", ()),
    "ollama": ("ollama.api:OllamaProvider", ()),
}
_EMBED: dict[str, tuple[str, tuple[object, ...]]] = {
    "openai.embeddings": ("embeddings.api:EmbeddingsApi", (flavours.OPENAI,)),
    "mistral.embeddings": ("embeddings.api:EmbeddingsApi", (flavours.MISTRAL,)),
    "voyage.embeddings": ("embeddings.api:EmbeddingsApi", (flavours.VOYAGE,)),
    "jina.embeddings": ("embeddings.api:EmbeddingsApi", (flavours.JINA,)),
    "cohere.embed": ("cohere.embed:CohereEmbed", ()),
    "ollama.embed": ("ollama.embed:OllamaEmbed", ()),
    "gemini.embed": ("gemini.embed:GeminiEmbed", ()),
    "vertex.embed": ("gemini.vertex_embed:VertexEmbed", ()),
    "perplexity.embeddings": ("embeddings.api:EmbeddingsApi", (flavours.PERPLEXITY,)),
}
_RERANK: dict[str, tuple[str, tuple[object, ...]]] = {
    "rerank": ("rerank.api:SharedRerank", ()),
    "cohere.rerank": ("rerank.api:CohereRerank", ()),
    "voyage.rerank": ("rerank.api:VoyageRerank", ()),
}
_IMAGES: dict[str, tuple[str, tuple[object, ...]]] = {
    "bfl": ("bfl.images:BflImages", ()),
    "fal": ("fal.images:FalImages", ()),
    "replicate": ("replicate.images:ReplicateImages", ()),
}
_SPEECH: dict[str, tuple[str, tuple[object, ...]]] = {
    "elevenlabs": ("elevenlabs.speech:ElevenLabsSpeech", ()),
    "cartesia": ("cartesia.speech:CartesiaSpeech", ()),
    "resemble": ("resemble.speech:ResembleSpeech", ()),
    "deepgram": ("deepgram.speech:DeepgramSpeech", ()),
}
_TRANSCRIPTS: dict[str, tuple[str, tuple[object, ...]]] = {
    "elevenlabs": ("elevenlabs.transcripts:ElevenLabsTranscripts", ()),
    "deepgram": ("deepgram.transcripts:DeepgramTranscripts", ()),
    "assemblyai": ("assemblyai.transcripts:AssemblyAiTranscripts", ()),
}
_VIDEOS: dict[str, tuple[str, tuple[object, ...]]] = {
    "fal": ("fal.videos:FalVideos", ()),
    "pika": ("fal.videos:PikaVideos", ()),
    "runway": ("runway.videos:RunwayVideos", ()),
    "luma": ("luma.videos:LumaVideos", ()),
}


def _load(known: dict[str, tuple[str, tuple[object, ...]]], shape: str) -> object:
    if shape not in known:
        raise Refusal("endpoint_not_built", f"{shape} is not translated by this version yet")
    path, arguments = known[shape]
    module, _, name = path.partition(":")
    return getattr(import_module(f"penstock.providers.{module}"), name)(*arguments)


@cache
def chat_provider(shape: str) -> ChatProvider:
    """The API of a shape. Raises Refusal for one that is not built."""
    return cast("ChatProvider", _load(_CHAT, shape))


@cache
def embed_provider(shape: str) -> EmbedProvider:
    """The same for embeddings."""
    return cast("EmbedProvider", _load(_EMBED, shape))


@cache
def rerank_provider(shape: str) -> RerankProvider:
    """The same for rerank."""
    return cast("RerankProvider", _load(_RERANK, shape))


def _media(known: dict[str, tuple[str, tuple[object, ...]]], name: str) -> object | None:
    return _load(known, name) if name in known else None


@cache
def image_api(name: str) -> ImageApi | None:
    """A vendor's API for pictures, None where it has none."""
    return cast("ImageApi | None", _media(_IMAGES, name))


@cache
def speech_api(name: str) -> SpeechApi | None:
    """The same for speech."""
    return cast("SpeechApi | None", _media(_SPEECH, name))


@cache
def transcript_api(name: str) -> TranscriptApi | None:
    """The same for transcripts."""
    return cast("TranscriptApi | None", _media(_TRANSCRIPTS, name))


@cache
def video_api(name: str) -> VideoApi | None:
    """The same for clips."""
    return cast("VideoApi | None", _media(_VIDEOS, name))
