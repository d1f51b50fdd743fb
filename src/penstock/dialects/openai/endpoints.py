"""The endpoints of the OpenAI dialect, as data."""

from __future__ import annotations

from penstock.shapes.openai_request import Endpoint

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint(
            "chat",
            "/v1/chat/completions",
            stream_shape="chunks",
            cap_fields=("max_completion_tokens", "max_tokens"),
            prompt_fields=("messages", "tools", "functions", "response_format"),
            usage_on_request=True,
            shape="openai.chat",
            task="chat",
        ),
        Endpoint(
            "completions",
            "/v1/completions",
            stream_shape="chunks",
            cap_fields=("max_tokens",),
            prompt_fields=("prompt", "suffix"),
            usage_on_request=True,
            shape="openai.completions",
            task="chat",
        ),
        Endpoint(
            "responses",
            "/v1/responses",
            stream_shape="events",
            cap_fields=("max_output_tokens",),
            prompt_fields=("input", "instructions", "tools", "text"),
            shape="openai.responses",
            task="chat",
        ),
        # Both look into a conversation that may be kept; neither is kept itself.
        Endpoint(
            "responses.input_tokens",
            "/v1/responses/input_tokens",
            prompt_fields=("input", "instructions", "tools", "text"),
            shape="openai.responses",
            task="count",
        ),
        Endpoint(
            "responses.compact",
            "/v1/responses/compact",
            prompt_fields=("input", "instructions"),
            shape="openai.responses",
        ),
        Endpoint(
            "embeddings",
            "/v1/embeddings",
            prompt_fields=("input",),
            shape="openai.embeddings",
            task="embed",
        ),
        Endpoint(
            "moderations", "/v1/moderations", prompt_fields=("input",), default_model="omni-moderation-latest"
        ),
        Endpoint("rerank", "/v1/rerank", prompt_fields=("query", "documents"), shape="rerank", task="rerank"),
        Endpoint(
            "images.generations",
            "/v1/images/generations",
            stream_shape="events",
            prompt_fields=("prompt",),
            makes_images=True,
            shape="openai.images",
            task="image",
        ),
        Endpoint(
            "images.edits",
            "/v1/images/edits",
            body="multipart",
            stream_shape="events",
            makes_images=True,
            shape="openai.images",
        ),
        Endpoint(
            "images.variations",
            "/v1/images/variations",
            body="multipart",
            default_model="dall-e-2",
            makes_images=True,
            shape="openai.images",
        ),
        Endpoint(
            "audio.speech",
            "/v1/audio/speech",
            stream_shape="events",
            prompt_fields=("input", "instructions"),
            shape="openai.audio",
            task="speech",
        ),
        Endpoint(
            "audio.transcriptions",
            "/v1/audio/transcriptions",
            body="multipart",
            stream_shape="events",
            shape="openai.audio",
            task="transcript",
        ),
        Endpoint("audio.translations", "/v1/audio/translations", body="multipart", shape="openai.audio"),
        Endpoint(
            "videos",
            "/v1/videos",
            body="either",
            prompt_fields=("prompt",),
            shape="openai.videos",
            task="video",
        ),
    )
}

# Every key that decides what is authorised, sent or billed, by its case-folded form.
OWNED: dict[str, str] = {
    key.casefold(): key
    for key in (
        "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "max_output_tokens", "n",
        "best_of", "service_tier", "tools", "store", "previous_response_id", "conversation", "background",
        "web_search_options", "metadata", "provider", "plugins",
    )
}  # fmt: skip
