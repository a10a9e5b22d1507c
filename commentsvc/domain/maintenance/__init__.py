"""What is done to all of it: a person taken along or forgotten, texts rendered anew."""
