"""Benchmarks of commentsvc, a static file and another comment service: `make bench`, docs/performance.md."""
