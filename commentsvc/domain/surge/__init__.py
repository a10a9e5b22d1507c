"""Floods of comments: how they are noticed and what is done about them."""
