"""What readers see of a thread."""
