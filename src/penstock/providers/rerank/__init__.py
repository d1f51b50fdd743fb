"""Rerank APIs: Cohere's, Jina's (which others copy), and Voyage's."""
