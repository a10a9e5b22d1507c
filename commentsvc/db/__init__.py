"""The database: sessions, SQLite's writers, statements that are compiled once."""
