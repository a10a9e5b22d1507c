"""The only way out to addresses that a stranger chose."""
