"""A comment on its way in, and its text replaced."""
