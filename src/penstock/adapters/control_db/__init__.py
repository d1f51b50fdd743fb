"""The control store on SQLite and PostgreSQL, by SQLAlchemy Core. Only the control process imports it."""
