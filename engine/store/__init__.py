"""Where courses live: SQLite and PostgreSQL through SQLAlchemy Core, or memory for tests."""
