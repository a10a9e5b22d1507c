"""Webhooks, chat messages and build hooks: who is told of what, and how it is sent."""
