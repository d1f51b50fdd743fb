"""The inference process's insides: what needs numpy or a model, away from the gateway."""
