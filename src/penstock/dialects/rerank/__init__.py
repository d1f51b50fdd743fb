"""The rerank API as Cohere's and Jina's clients speak it."""
