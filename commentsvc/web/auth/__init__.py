"""Login and single sign-on."""
