"""OpenAI's embeddings API as clients speak it."""
