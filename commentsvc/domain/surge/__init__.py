"""Surges of comments: detection and protection."""
