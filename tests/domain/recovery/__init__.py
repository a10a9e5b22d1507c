"""Tests of domain/recovery."""
