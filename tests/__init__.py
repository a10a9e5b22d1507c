"""Tests of commentsvc."""
