"""Threads looked after: closed, pinned in, renamed, merged, moved."""
