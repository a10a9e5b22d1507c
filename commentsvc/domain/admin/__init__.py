"""What moderators and owners see and do, and how it is undone."""
