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
    return render_template(
        "admin/embed_code.html",
        admin=admin,
        service=settings().base_url,
        thread_lines=embed_lines.thread(settings().base_url),
        article=f"{origin}/article/",
        feed_lines=embed_lines.feeds(settings().base_url, origin),
    )
