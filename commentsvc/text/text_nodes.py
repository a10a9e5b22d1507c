"""Cleans the text between the tags of well-formed HTML of deceptive characters."""

from __future__ import annotations

import re

from commentsvc.text.characters import DIRECTION_MARKS
from commentsvc.text.clusters import Clusters

# A tag as nh3 and our renderers write it, with attributes in double quotes.
TAG = re.compile(r"""</?([a-z]*)[^<>"]*(?:"[^"]*"[^<>"]*)*>""")
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_WITHOUT_MARKS = dict.fromkeys(map(ord, DIRECTION_MARKS))


def cut(html: str) -> str:
    """Return HTML with limited clusters, and without direction marks; only "&", "<" and ">" may be references.

    Direction marks stay if the HTML has right-to-left letters, but not in links and code, where they can only deceive.
    A cluster may begin in one text and end in another.
    """
    if html.isascii():
        return html
    clusters, turned = Clusters(), _RIGHT_TO_LEFT.search(html) is not None
    pieces: list[str] = []
    plain = position = 0
    for tag in TAG.finditer(html):
        text = html[position : tag.start()]
        pieces += [_cut_text(text, clusters, keep_marks=turned and not plain), tag[0]]
        if tag[1] in {"a", "code"}:
            plain += -1 if tag[0][1] == "/" else 1
        position = tag.end()
    return "".join(pieces) + _cut_text(html[position:], clusters, keep_marks=turned and not plain)


def _cut_text(text: str, clusters: Clusters, *, keep_marks: bool) -> str:
    if not keep_marks and not text.isascii():
        text = text.translate(_WITHOUT_MARKS)
    return clusters.cut(text)
