"""Tests of web/thread."""
