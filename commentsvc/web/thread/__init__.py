"""The views of a thread: reading, writing, reporting, counting."""
