"""How many comments a page of a thread shows."""

from __future__ import annotations

ROOTS = 50
"""Conversations on a page."""
FIRST_REPLIES = 5
"""Replies shown below each of them at first."""
MORE_REPLIES = 50
"""Replies that "Show more" adds."""
MENTIONS = 20
"""Pages elsewhere that link to the article, below the conversations of the first page."""
PINNED = 3
"""Pinned comments above a thread."""
DEEPEST_PATH = 20
"""Comments above one that a link leads to, shown with it."""
