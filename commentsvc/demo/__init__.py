"""A blog with made-up comments and a login provider, for `commentsvc demo`."""
