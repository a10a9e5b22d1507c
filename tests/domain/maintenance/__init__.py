"""Tests of domain/maintenance."""
