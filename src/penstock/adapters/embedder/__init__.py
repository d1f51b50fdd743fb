"""Embeddings by a sentence transformer on onnxruntime: building its graph, installing it, running it."""
