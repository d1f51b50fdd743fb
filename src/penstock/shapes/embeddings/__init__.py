"""What both sides of OpenAI's embeddings API need, with what Mistral, Voyage and Jina add to it."""

SHAPE = "openai.embeddings"
