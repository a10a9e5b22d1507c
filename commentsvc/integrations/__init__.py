"""One module for each outside service or protocol."""
