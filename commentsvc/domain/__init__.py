"""The rules: plain functions over a database session; no request, no HTTP."""
