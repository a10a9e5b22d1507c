"""The lines that show comments on a site's pages, ready to copy."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from commentsvc.domain.sites import embed_lines
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies
from commentsvc.web.context import settings

blueprint = Blueprint("embed_code", __name__, url_prefix=cookies.ADMIN)


@blueprint.get("/sites/<site:site_id>/embed-code")
def page(site_id: int) -> ResponseReturnValue:
    """Show the script, the ways to place a thread, and the number of comments."""
    admin = AdminContext.for_site(site_id, owner=True)
    origin = admin.site.origins[0].origin if admin.site.origins else "https://blog.example"
    service, article = settings().base_url, f"{origin}/article/"
    lines = {
        "thread": embed_lines.thread(service),
        "placed": embed_lines.placed(),
        "on_click": embed_lines.on_click(),
        "for_article": embed_lines.for_article(article),
        "number": embed_lines.number(service, article),
        "latest": embed_lines.latest(service),
        "feeds": embed_lines.feeds(service, origin),
        "webmention": embed_lines.webmention(service),
    }
    return render_template("admin/embed_code.html", admin=admin, lines=lines)
