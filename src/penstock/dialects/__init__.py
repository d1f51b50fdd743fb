"""Client-facing API shapes: decode what clients send, encode what they get."""
