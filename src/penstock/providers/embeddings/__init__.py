"""Embeddings APIs of OpenAI's shape: OpenAI's own, Mistral's, Voyage's and Jina's."""
