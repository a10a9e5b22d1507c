"""The websites that embed us."""
