"""A blog to try everything on, without an account anywhere."""
