"""Tests of domain/threads."""
