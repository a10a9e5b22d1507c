"""Turns the fields of a WordPress export into the records of an article and its comments."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

from commentsvc.domain.transfer.local_times import LocalTimes
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.models import Kind, Role, Status, TextFormat
from commentsvc.text import imported_html, markup

SYSTEM = "WordPress"
_TITLE_LONGEST = 2000
_KINDS = {
    "": Kind.COMMENT,
    "comment": Kind.COMMENT,
    "review": Kind.COMMENT,
    "pingback": Kind.PINGBACK,
    "trackback": Kind.TRACKBACK,
    "webmention": Kind.PINGBACK,
    "mention": Kind.PINGBACK,
}
_STATUSES = {
    "1": Status.APPROVED,
    "approve": Status.APPROVED,
    "approved": Status.APPROVED,
    "spam": Status.SPAM,
    "trash": Status.TRASH,
    "post-trashed": Status.TRASH,
}
_PUBLIC = frozenset({"", "publish", "static"})
"""Statuses of articles that everybody could read; plugins have many others, such as those of orders."""
_UNPUBLISHED = frozenset({"private", "draft", "auto-draft", "pending", "future", "trash", "inherit"})
_HIDDEN = "their article was private, a draft or behind a password"
_UNKNOWN_STATUS = "their article has the status “{}”, which is not known to be public"


def article(
    blog: dict[str, str], fields: dict[str, str], times: LocalTimes, comments: tuple[ImportedComment, ...]
) -> ImportedThread:
    """Return an article from its fields and those of its blog."""
    home = (blog.get("wp:base_blog_url") or blog.get("link") or blog.get("wp:base_site_url") or "").strip()
    number, status, kind, password = (
        fields.get(f"wp:{name}", "").strip() for name in ("post_id", "status", "post_type", "post_password")
    )
    # An attachment inherits the status of its article; so does an old version of an article, which nobody saw.
    is_public = status.lower() in _PUBLIC or (status == "inherit" and kind == "attachment")
    published_at, _ = times.read(fields.get("wp:post_date_gmt", ""), fields.get("wp:post_date", ""))
    return ImportedThread(
        system=SYSTEM,
        hides_replies=True,
        source=re.sub(r"\Ahttps?://", "", home.lower()).rstrip("/"),
        url=_article_url(home, fields.get("link", "").strip(), number),
        comments=comments,
        id=number,
        title=_words(fields.get("title", "")),
        published_at=published_at,
        home=home,
        hidden=not is_public or password != "",
        hidden_why=_HIDDEN if is_public or status in _UNPUBLISHED else _UNKNOWN_STATUS.format(status[:40]),
        closed=fields.get("wp:comment_status", "").strip().lower() == "closed",
        draws_smilies=True,
    )


def _article_url(home: str, link: str, number: str) -> str:
    """Return an article's URL; the link may lack its scheme, its host, or everything."""
    if not link:
        return f"{home.rstrip('/')}/?p={number}" if home and number else ""
    link = _plain_address(link).replace(" ", "%20")
    if link.startswith("//"):
        return f"{home.partition('//')[0] or 'https:'}{link}"
    if link.startswith("/") or re.match(r"[a-z][a-z0-9+.-]*:", link, re.IGNORECASE) or not home:
        return link
    return urljoin(f"{home.rstrip('/')}/", link)


def comment(fields: dict[str, str], times: LocalTimes, logins: dict[str, str]) -> ImportedComment:
    """Return a comment from its fields; `logins` are those of the blog's authors, by number."""

    def field(name: str) -> str:
        return fields.get(f"wp:comment_{name}", "").strip()

    kind = _KINDS.get(field("type").lower())
    parent = field("parent")
    user = logins.get(field("user_id"), "")
    created_at, note = times.read(field("date_gmt"), field("date"))
    return ImportedComment(
        id=field("id"),
        text=fields.get("wp:comment_content", ""),
        format=TextFormat.HTML,
        status=_STATUSES.get(field("approved").lower(), Status.HELD),
        parent_id=parent if parent not in {"", "0"} else None,
        kind=kind or Kind.COMMENT,
        # WordPress stores a name as HTML, with references for & and quotes.
        name=html.unescape(field("author")),
        email=html.unescape(field("author_email")),
        website=_plain_address(field("author_url")),
        created_at=created_at,
        # Only someone logged in has a number; a name and an address can be anybody's.
        user=user,
        role=Role.OWNER if user else None,
        notes=(note,) if note else (),
        # Order notes, webhooks and editorial remarks were never shown to readers.
        refused="" if kind else f"of type “{field('type')[:40]}”, which is not for readers",
    )


def _words(title: str) -> str:
    """Return a title as text: WordPress's titles are HTML, and `plain` needs it well-formed."""
    return markup.plain(imported_html.rewrite(title[:_TITLE_LONGEST]))


def _plain_address(url: str) -> str:
    """Replace only the references that WordPress itself writes: "?a=1&copy=2" contains none."""
    return url.replace("&#038;", "&").replace("&amp;", "&")
