"""Decisions about comments, and readers' reports."""
