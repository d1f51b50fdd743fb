"""The Responses API on both sides: recordings, hand-written conversations, and hostile input."""
