"""Other systems' comments on their way in."""
