"""The Responses API: items, content, tools and counts as both the client's and the vendor's side write them.

Its reference is https://platform.openai.com/docs/api-reference/responses. Keys that begin with `~` in the
extras of this shape are ours: they remember which of two equal forms was used, and never leave the gateway.
"""
