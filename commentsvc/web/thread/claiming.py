"""A person who has logged in takes the comments that their browser wrote as a guest on this site.

The browser's key in `X-Author-Key` proves whose comments they are, and only our script sends it.
"""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.domain import fields
from commentsvc.domain.comments import guest_claims
from commentsvc.errors import LoggedOutError, NotFoundError
from commentsvc.models import LoginSession
from commentsvc.web import access, headers, origin_check
from commentsvc.web.auth import reader
from commentsvc.web.context import database, now, writing
from commentsvc.web.thread import claimants
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("claiming", __name__)


@blueprint.get(f"{EMBED}/claim", defaults={"mode": EMBED})
@blueprint.get(f"{STANDALONE}/claim", defaults={"mode": STANDALONE})
def offered(mode: str) -> ResponseReturnValue:
    """The list of what this browser wrote here as a guest, with nothing ticked, as a form for the page's script."""
    site_id = ThreadRequest.read(mode, request.args).address().site.id
    holder, key = _holder(mode, site_id), _key()
    html = render_template(
        "thread/claim.html",
        comments=guest_claims.list_of_browser(database(), site_id, key),
        name=holder.commenter.name,
        mark=reader.form_mark(holder),
        csrf="" if reader.bearer() else reader.csrf_token(),
    )
    return headers.no_store(jsonify(html=html))


@blueprint.post(f"{EMBED}/claim", defaults={"mode": EMBED})
@blueprint.post(f"{STANDALONE}/claim", defaults={"mode": STANDALONE})
def take(mode: str) -> ResponseReturnValue:
    """Put the ticked comments under the person's account."""
    origin_check.require_own_page()
    site_id = ThreadRequest.read(mode, request.args).address().site.id
    author, key = claimants.claimant(_holder(mode, site_id)), _key()
    ticked = {number for text in request.form.getlist("comment") if (number := fields.whole_number(text))}
    with writing() as session:
        number = guest_claims.claim_of_browser(session, site_id, ticked, key, author, at=now())
    are = "One comment is" if number == 1 else f"{number} comments are"
    message = f"{are} under your account now, and will show your name when the page is loaded again."
    return headers.no_store(jsonify(taken=number, message=message))


def _holder(mode: str, site_id: int) -> LoginSession:
    """Return the session of the person who is logged in; raises LoggedOutError."""
    holder = reader.current(site_id if mode == EMBED else None)
    if holder is None:
        raise LoggedOutError
    return holder


def _key() -> str:
    """Return the hash of the browser's key; raises NotFoundError if there is none."""
    key = access.author_key_hash(request.headers.get("X-Author-Key"))
    if key is None:
        raise NotFoundError("This browser has written nothing here as a guest.")
    return key
