"""Tests of domain/accounts."""
