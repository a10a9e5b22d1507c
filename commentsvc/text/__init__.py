"""Turns what people type into safe HTML, and their pictures into small ones."""
