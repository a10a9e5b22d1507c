"""Import from other systems: readers of their files, and one pipeline that stores the records."""
