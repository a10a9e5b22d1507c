"""A cache of responses that are the same for everybody."""
