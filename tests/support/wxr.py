"""Small WordPress exports, made by the test that reads them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.transfer import importing, wordpress
from commentsvc.domain.transfer.import_report import ImportReport
from commentsvc.models import Comment, Site

OLD_BLOG = "http://blog.example"
TODAY = datetime(2026, 6, 1, 12, tzinfo=UTC)
_numbers = count(1)


def comment(
    text: str = "Well said.", *, number: int | str | None = None, parent: int | str = 0, **fields: str
) -> str:
    """Return a `wp:comment`; `fields` are named as after `wp:comment_`."""
    values = {
        "id": str(next(_numbers) if number is None else number),
        "author": "Anna",
        "author_email": "anna@mail.example",
        "author_url": "",
        "author_IP": "198.51.100.7",
        "date": "2012-03-04 07:06:07",
        "date_gmt": "2012-03-04 05:06:07",
        "content": text,
        "approved": "1",
        "type": "",
        "parent": str(parent),
        "user_id": "0",
        **fields,
    }
    inside = "".join(
        f"<wp:comment_{name}>{cdata(value)}</wp:comment_{name}>\n" for name, value in values.items()
    )
    meta = "<wp:commentmeta><wp:meta_key>akismet</wp:meta_key><wp:meta_value>true</wp:meta_value></wp:commentmeta>"
    return f"<wp:comment>{inside}{meta}</wp:comment>"


def item(
    *comments: str, link: str = f"{OLD_BLOG}/hello/", title: str = "Hello &amp; welcome", **fields: str
) -> str:
    """Return an `item`; `fields` are named as after `wp:`."""
    values = {
        "post_id": "7",
        "post_date": "2012-03-01 10:00:00",
        "post_date_gmt": "2012-03-01 08:00:00",
        "status": "publish",
        "post_type": "post",
        "post_password": "",
        **fields,
    }
    inside = "".join(f"<wp:{name}>{cdata(value)}</wp:{name}>\n" for name, value in values.items())
    return (
        f"<item><title>{title}</title><link>{link}</link><pubDate>Thu, 01 Mar 2012 08:00:00 +0000</pubDate>"
        f"<content:encoded><![CDATA[<p>The article.</p>]]></content:encoded>{inside}{''.join(comments)}</item>"
    )


def export(
    *items: str,
    version: str = "1.2",
    scheme: str = "http",
    blog: str = OLD_BLOG,
    head: str = "",
    authors: str = "",
) -> bytes:
    """Return a whole export; `head` stands before the root element, `authors` in the blog's head."""
    return f"""<?xml version="1.0" encoding="UTF-8" ?>
<!-- This is a WordPress eXtended RSS file -->
{head}<rss version="2.0"
  xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:wp="{scheme}://wordpress.org/export/{version}/">
<channel>
  <title>An old blog</title>
  <link>{blog}</link>
  <wp:wxr_version>{version}</wp:wxr_version>
  <wp:base_site_url>{blog}</wp:base_site_url>
  <wp:base_blog_url>{blog}</wp:base_blog_url>
  <wp:author><wp:author_login>anna</wp:author_login><wp:author_email>a@b.example</wp:author_email></wp:author>
  {authors}
  <image><url>{blog}/icon.png</url><title>An icon</title><link>https://elsewhere.example</link></image>
{"".join(items)}
</channel>
</rss>
""".encode()


def load(
    session: Session, site: Site, *items: str, blog: str = OLD_BLOG, people: str = "", **options: Any
) -> ImportReport:
    """Import an export made of these articles into `site`."""
    file = io.BytesIO(export(*items, blog=blog, authors=people))
    return importing.run(session, site, wordpress.read(file), at=TODAY, **options)


def stored(session: Session) -> list[Comment]:
    """Return every comment there is, in the order of the rows."""
    return list(session.scalars(select(Comment).order_by(Comment.id)))


def at(minute: int) -> dict[str, str]:
    """Return the field of a comment written in this minute."""
    return {"date_gmt": f"2012-03-04 05:{minute:02}:00"}


def cdata(text: str) -> str:
    """Write a text the way WordPress does."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>" if text else ""
