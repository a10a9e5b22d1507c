"""Tests of domain/spam."""
