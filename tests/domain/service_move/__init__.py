"""Tests of domain/archive."""
