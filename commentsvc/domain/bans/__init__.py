"""Bans: validating, storing and matching them."""
