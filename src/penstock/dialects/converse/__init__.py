"""Bedrock's Converse and ConverseStream as a client dialect: requests in, replies and streams out."""
