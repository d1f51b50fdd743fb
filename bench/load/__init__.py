"""The load generators; each is a program of its own on the other core and prints one JSON object."""
