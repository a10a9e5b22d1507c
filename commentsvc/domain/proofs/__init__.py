"""Guests who prove an e-mail address to one site, from one browser, without an account."""
