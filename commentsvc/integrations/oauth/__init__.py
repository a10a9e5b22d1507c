"""Login providers: rows of data, and the one flow that serves them all. The only importer of Authlib and joserfc."""
