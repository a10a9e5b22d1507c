"""The texts of well-formed HTML, between its tags, cut to what readers may be shown."""

from __future__ import annotations

import re

from commentsvc.text.characters import DIRECTION_MARKS
from commentsvc.text.clusters import Clusters

# As nh3 and our own renderers write one: attributes stand in double quotes.
TAG = re.compile(r"""</?([a-z]*)[^<>"]*(?:"[^"]*"[^<>"]*)*>""")
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_WITHOUT_MARKS = dict.fromkeys(map(ord, DIRECTION_MARKS))


def cut(html: str) -> str:
    """Cut the texts of HTML in which only "&", "<" and ">" are references, as readers will see them.

    Marks of direction stay where the text has letters that are written from right to left, but in no link and no code,
    where they can only deceive. A cluster may begin in one text and end in another.
    """
    if html.isascii():
        return html
    clusters, turned = Clusters(), _RIGHT_TO_LEFT.search(html) is not None
    pieces: list[str] = []
    plain = at = 0
    for tag in TAG.finditer(html):
        pieces += [_cut_text(html[at : tag.start()], clusters, keep_marks=turned and not plain), tag[0]]
        if tag[1] in {"a", "code"}:
            plain += -1 if tag[0][1] == "/" else 1
        at = tag.end()
    return "".join(pieces) + _cut_text(html[at:], clusters, keep_marks=turned and not plain)


def _cut_text(text: str, clusters: Clusters, *, keep_marks: bool) -> str:
    if not keep_marks and not text.isascii():
        text = text.translate(_WITHOUT_MARKS)
    return clusters.cut(text)
