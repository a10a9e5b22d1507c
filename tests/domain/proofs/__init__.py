"""Tests of domain/proofs."""
