"""Tests of domain/notifications."""
