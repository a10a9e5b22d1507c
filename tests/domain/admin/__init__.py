"""Tests of domain/admin."""
