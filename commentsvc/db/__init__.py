"""Database sessions, SQLite's write queue and precompiled statements."""
