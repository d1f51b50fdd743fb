"""OpenAI's chat completions: recordings, other shapes in it, and it in other shapes."""
