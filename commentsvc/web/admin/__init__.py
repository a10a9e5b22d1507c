"""The views of moderators and owners."""
