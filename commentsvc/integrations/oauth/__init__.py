"""Login providers: a table of providers and one OAuth flow for all of them. The only importer of Authlib."""
