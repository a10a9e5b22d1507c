"""Makes backups that are proved, and replays after a restore what people had erased since."""
