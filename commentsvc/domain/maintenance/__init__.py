"""Work on everything that is stored: retention, erasure, a person's export, rendering anew."""
