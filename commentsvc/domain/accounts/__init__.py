"""Who comments and moderates, how they prove it, and where they are signed in."""
