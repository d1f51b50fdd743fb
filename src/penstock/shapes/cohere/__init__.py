"""What both sides of Cohere's API need: https://docs.cohere.com/v2/reference/about ."""

CHAT = "cohere"
EMBED = "cohere.embed"
