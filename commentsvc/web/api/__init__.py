"""The REST API: its declarations, which validate calls and become the OpenAPI document, and its views."""
