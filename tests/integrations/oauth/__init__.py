"""Tests of integrations/oauth."""
