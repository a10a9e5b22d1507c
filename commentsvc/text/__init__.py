"""From what people type to HTML that is safe to show, and their pictures."""
