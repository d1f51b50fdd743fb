"""OpenAI's legacy completions, as clients speak them."""
