"""What both sides of the rerank API that Cohere and Jina share need."""

SHAPE = "rerank"
VOYAGE = "~voyage"  # among a request's extras: it was written in Voyage's words
