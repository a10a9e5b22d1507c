"""Which thread a page means, and what changes with each comment."""
