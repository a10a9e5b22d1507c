"""Tests of domain/surge."""
