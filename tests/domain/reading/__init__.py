"""Tests of domain/reading."""
