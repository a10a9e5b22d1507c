"""Bans: how they are typed, stored and matched."""
