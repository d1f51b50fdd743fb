"""Embeddings and rerank between clients and vendors."""
