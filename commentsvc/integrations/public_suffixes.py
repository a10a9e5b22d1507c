"""The Public Suffix List: below which names anybody can register one; the only importer of publicsuffixlist."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_public(host: str) -> bool:
    """Whether strangers can have names directly below a host, such as `com`, `co.uk` or `github.io`.

    The list has the suffixes of registries and, in its private section, those of hosting services. A name with one part
    that is not in the list counts as one. `host` is in ASCII.
    """
    return _list().privatesuffix(host) is None


@cache
def _list() -> PublicSuffixList:
    """Return the list: 2 MB and 30 ms, so it is loaded where previews are saved, and not before."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
