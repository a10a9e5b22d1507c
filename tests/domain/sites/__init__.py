"""Tests of domain/sites."""
