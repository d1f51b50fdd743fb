"""How alerts leave the house."""
