"""People: accounts, identities, sessions and roles."""
