"""OpenAI's APIs for images, speech, transcripts and videos, as a client speaks them to any vendor."""
