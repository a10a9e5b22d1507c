"""The private link to a guest's comment, as it travels: given out with a post, and found again by its token."""

from __future__ import annotations

from flask import Response, url_for

from commentsvc.domain.comments import receipts
from commentsvc.errors import NotFoundError
from commentsvc.models import Comment
from commentsvc.web import access, headers
from commentsvc.web.context import database, hash_key, limiter, settings

GUESSES = "20/minute;100/hour"
"""Requests with an unknown token, per network."""


CHANGES = "20/minute;200/hour"
"""Renewed links and claims, per network."""


def hash_of(token: str) -> str:
    """Return what is stored of a receipt's token."""
    return receipts.hash_of(hash_key(), token)


def link(token: str) -> str:
    """Return the full URL of a receipt's page."""
    return settings().origin + url_for("receipts.page", token=token)


def feed_link(token: str, comment_id: int) -> str:
    """Return the full URL of the feed of answers to a receipt's comment; it does not open the receipt."""
    feed_token = receipts.feed_token(hash_key(), hash_of(token))
    return settings().origin + url_for(
        "feeds.of_receipt", comment_id=comment_id, token=feed_token, form="atom"
    )


def comment_of(token: str) -> Comment:
    """Return the comment of a receipt; raises NotFoundError, and TooManyError for a network that guesses."""
    limit, network = limiter("receipt guesses"), access.network()
    limit.require_room(network)
    try:
        return receipts.find(database(), hash_of(token))
    except NotFoundError:
        limit.count(network)
        raise


def private(response: Response) -> Response:
    """Mark a page whose address has a receipt's token: it must not be cached, indexed or sent to other sites."""
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return headers.no_store(response)
