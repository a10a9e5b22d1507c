"""What moderators and owners see and do, and undoing it."""
