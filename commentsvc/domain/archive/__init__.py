"""The archive: everything of one site or of all, in one file, and back again."""
