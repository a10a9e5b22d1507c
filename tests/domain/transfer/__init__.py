"""Tests of domain/transfer."""
