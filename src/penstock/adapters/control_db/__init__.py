"""The control store on SQLite and PostgreSQL, through SQLAlchemy Core. Only the control process imports this."""
