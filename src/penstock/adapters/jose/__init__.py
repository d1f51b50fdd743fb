"""Tokens (JWT) and their keys. A gateway imports this only where an issuer is configured."""
