"""The checks of a new comment, and what they need to know."""
