"""Login and single sign-on: who is asking, and how they prove it."""
