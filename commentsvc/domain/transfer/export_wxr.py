"""Writes a site's comments as WXR, the XML that WordPress and Disqus import; `wordpress` reads it here."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from commentsvc import match_keys
from commentsvc.domain.transfer import exported_comments
from commentsvc.domain.transfer.exported_comments import ExportedComment
from commentsvc.models import Kind, Role, Site, Status
from commentsvc.text.characters import allowed_in_xml

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" \
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dsq="http://www.disqus.com/" \
xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
"""
_TAIL = "</channel>\n</rss>\n"
_APPROVED = {Status.APPROVED: "1", Status.HELD: "0", Status.SPAM: "spam", Status.TRASH: "trash"}


def pieces(session: Session, site: Site) -> Iterator[bytes]:
    """Yield the export of a site, a comment at a time."""
    home = site.origins[0].origin if site.origins else ""
    name, site_id = site.name, site.id
    yield (
        _HEAD + _lines({"title": name, "link": home, "wp:wxr_version": "1.2", "wp:base_blog_url": home})
    ).encode()
    owners = exported_comments.owners(session, site_id)
    for number, owner in owners.items():
        author = {
            "wp:author_id": number,
            "wp:author_login": f"owner{number}",
            "wp:author_display_name": owner,
        }
        yield f"<wp:author>\n{_lines(author)}</wp:author>\n".encode()
    for article, comments in exported_comments.articles(session, site_id):
        yield f"<item>\n{_lines(_article(article))}".encode()
        for comment in comments:
            yield f"<wp:comment>\n{_lines(_comment(comment, owners))}</wp:comment>\n".encode()
        yield b"</item>\n"
    yield _TAIL.encode()


def _lines(fields: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{html.escape(allowed_in_xml(str(value)), quote=False)}</{name}>\n"
        for name, value in fields.items()
    )


def _article(article: Any) -> dict[str, Any]:
    is_closed = article.closed_at is not None and article.closed_at <= datetime.now(UTC)
    return {
        "title": html.escape(article.title or "", quote=False),
        "link": article.url,
        "content:encoded": "",
        "dsq:thread_identifier": match_keys.page_id(article.key) or article.url,
        "wp:post_id": article.id,
        "wp:post_date": _time(article.created_at),
        "wp:post_date_gmt": _time(article.created_at),
        "wp:comment_status": "closed" if is_closed else "open",
        "wp:status": "publish",
        "wp:post_type": "post",
    }


def _comment(comment: ExportedComment, owners: dict[int, str]) -> dict[str, Any]:
    row = comment.row
    is_owner = row.role is Role.OWNER and row.commenter_id in owners
    return {
        "wp:comment_id": row.id,
        "wp:comment_author": html.escape(comment.name),  # WordPress stores names as HTML
        "wp:comment_author_email": html.escape(row.guest_email or ""),
        "wp:comment_author_url": comment.website,
        "wp:comment_date": _time(row.created_at),
        "wp:comment_date_gmt": _time(row.created_at),
        "wp:comment_content": row.html,
        "wp:comment_approved": _APPROVED[row.status],
        "wp:comment_type": "comment" if row.kind is Kind.COMMENT else row.kind.value,
        "wp:comment_parent": row.parent_id or 0,
        "wp:comment_user_id": row.commenter_id if is_owner else 0,
    }


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
