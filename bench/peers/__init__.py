"""Those who are measured: each starts, holds the same comments, answers at an address, and stops."""
