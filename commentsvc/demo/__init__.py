"""A blog page to try everything with, with no account anywhere."""
