"""One file for each outside service or protocol."""
