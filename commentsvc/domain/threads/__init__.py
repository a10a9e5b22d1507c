"""Finding the thread of a page, and what changes with each comment."""
