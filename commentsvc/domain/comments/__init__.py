"""Posting a comment and replacing its text."""
