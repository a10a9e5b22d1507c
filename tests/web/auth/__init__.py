"""Tests of web/auth."""
