"""The checks of a new comment, and the data they need."""
