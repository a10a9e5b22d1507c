"""Answers that are the same for everybody, kept as bytes."""
