"""What both sides of Ollama's own API need: https://docs.ollama.com/api ."""

CHAT = "ollama"
EMBED = "ollama.embed"
