"""What moderators do with threads: close, pin in, rename, merge, move."""
