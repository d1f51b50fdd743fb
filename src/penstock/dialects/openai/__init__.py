"""The OpenAI dialect: the API that clients with an OpenAI SDK speak."""
