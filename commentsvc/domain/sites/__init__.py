"""The websites that embed us, and their settings."""
