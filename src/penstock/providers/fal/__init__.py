"""fal, and the models of others that it hosts."""
