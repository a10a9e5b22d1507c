"""How many comments a page of a thread shows."""

from __future__ import annotations

ROOTS = 50
"""Conversations per page."""
FIRST_REPLIES = 5
"""Replies shown below each conversation at first."""
MORE_REPLIES = 50
"""Replies that "Show more" adds."""
MENTIONS = 20
"""Pages that link to the article, listed below the conversations of the first page."""
PINNED = 3
"""Pinned comments above a thread."""
DEEPEST_PATH = 20
"""Ancestors of a linked comment that are shown with it."""
LIST, LONGEST_LIST = 5, 20
"""Comments in a list of the latest of a site: usually, and at most."""
