"""The Messages API as a provider: at Anthropic, on Vertex AI and Bedrock, and at vendors that speak it too."""
