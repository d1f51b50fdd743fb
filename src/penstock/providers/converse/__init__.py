"""AWS Bedrock's Converse API as a provider: requests out, replies and streams in."""
