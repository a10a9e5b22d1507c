"""Tests of domain/thread_admin."""
