"""Alembic migrations of the control store, run when control starts."""
