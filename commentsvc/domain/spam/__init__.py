"""What the checks look at in a comment, what they say, and what follows from it."""
