"""Maintenance of stored data: retention, erasure, a person's export, rendering again."""
