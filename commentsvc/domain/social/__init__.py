"""Answers from elsewhere on the web: webmentions, Mastodon, Bluesky."""
