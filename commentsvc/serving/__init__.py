"""The production server, the WSGI stack and the page cache."""
