"""What an owner says in other words than ours: single sentences, by language."""

from __future__ import annotations

import json
from collections.abc import Mapping

from commentsvc.models import Site


def of(site: Site, language: str) -> Mapping[str, str]:
    """Return the owner's sentences in this language by our English ones."""
    if not site.words:
        return {}
    words: dict[str, dict[str, str]] = json.loads(site.words)
    return words.get(language, {})
