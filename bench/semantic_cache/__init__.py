"""How well the semantic cache tells questions apart, and how fast it is: targets S1 to S6."""
