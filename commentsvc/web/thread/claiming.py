"""A person who has logged in takes the comments that their browser wrote as a guest on this site.

The browser's key proves whose comments they are, and is sent by our script alone.
"""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.domain import fields
from commentsvc.domain.comments import guest_claims
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext
from commentsvc.web import access, headers, origin_check
from commentsvc.web.auth import reader
from commentsvc.web.context import database, limiter, now, writing
from commentsvc.web.thread import claimants
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("claiming", __name__)


@blueprint.post(f"{EMBED}/comments/claim", defaults={"mode": EMBED})
@blueprint.post(f"{STANDALONE}/comments/claim", defaults={"mode": STANDALONE})
def claim(mode: str) -> ResponseReturnValue:
    """Put the ticked comments under the person's account; if none is ticked, list them all, with nothing ticked."""
    origin_check.require_own_page()
    address = ThreadRequest.read(mode, request.form).address()
    holder = reader.in_thread(mode, address.site)
    shown = access.shown_form(request.form.get("token", ""), address)
    author = claimants.claimant(holder, mark=shown.mark if shown else "")
    key = access.author_key_hash(request.form.get("author_key"))
    if key is None:
        raise NotFoundError(gettext("This browser has written nothing here as a guest."))
    ticked = {number for text in request.form.getlist("comment") if (number := fields.whole_number(text))}
    taken = 0
    if ticked:
        limiter("receipt changes").hit(access.network())
        with writing() as session:
            taken = guest_claims.claim_of_browser(session, address.site.id, ticked, key, author, at=now())
    html = render_template(
        "thread/claim.html",
        taken=taken,
        comments=[] if taken else guest_claims.list_of_browser(database(), address.site.id, key),
        name=holder.commenter.name if holder else "",
    )
    return headers.no_store(jsonify(html=html))
