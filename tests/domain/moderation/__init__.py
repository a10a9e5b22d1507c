"""Tests of domain/moderation."""
