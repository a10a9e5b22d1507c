"""The views for moderators and owners."""
