"""How the service answers: the server, the WSGI stack and the page cache."""
