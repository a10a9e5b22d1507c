"""The guarded client for URLs that a stranger may choose."""
