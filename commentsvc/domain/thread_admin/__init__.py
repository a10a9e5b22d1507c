"""What moderators do with threads: close, pin comments, rename, merge, move."""
