"""Measures commentsvc beside a static file and another comment service: `make bench`, docs/performance.md."""
