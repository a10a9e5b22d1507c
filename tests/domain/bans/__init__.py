"""Tests of domain/bans."""
