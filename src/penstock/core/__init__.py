"""The pure centre: types and functions without IO, clock, randomness or logging."""
