"""The discussions of articles: which is meant, as it stands, and what changes with each change."""
