"""Reading a thread as readers see it."""
