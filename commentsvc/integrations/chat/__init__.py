"""Messages to chat services, one file for each: a small body that nothing a stranger wrote can format or address."""
