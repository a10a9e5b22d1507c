"""The views of a thread: reading, posting, reporting, counting."""
