"""One file per outside library or service, its only importer."""
