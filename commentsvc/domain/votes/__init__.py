"""Readers' votes on comments, and the order that they give."""
