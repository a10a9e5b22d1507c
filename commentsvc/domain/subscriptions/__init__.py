"""Mail that readers asked for: consent, what is due to whom, the mails themselves."""
