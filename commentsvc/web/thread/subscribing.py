"""The box below the comment form, by which a reader asks for mail about the article."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.authors import Author
from commentsvc.domain.comments.insert_comment import PostedComment
from commentsvc.domain.fields import Guest
from commentsvc.domain.subscriptions import subscription_requests
from commentsvc.domain.subscriptions.subscription_requests import SubscriptionRequest
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import FieldRule, LoginSession, Site, Status, SubscriptionKind
from commentsvc.web.context import database, hash_key, now, settings
from commentsvc.web.forms import CommentForm

ASKED = gettext_noop(
    "You asked for mail: unless you have confirmed your address before, please open the link that we mail to it."
)
"""The same for every address, so that nobody learns which ones are known."""


@dataclass(frozen=True, slots=True)
class MailWish:
    """What was ticked, and the address to write to."""

    kinds: tuple[SubscriptionKind, ...]
    address: str


def is_offered(site: Site) -> bool:
    """Whether readers of a site may ask for mail."""
    return (site.comment_mail or site.post_mail) and bool(settings().smtp_url)


def was_asked(form: CommentForm, site: Site) -> bool:
    """Whether a box was ticked where it is offered."""
    return is_offered(site) and bool(_kinds(form, site))


def read(form: CommentForm, site: Site, guest: Guest, holder: LoginSession | None) -> MailWish | None:
    """Return what the form asks for, None for nothing; raises InvalidFieldsError without a valid address.

    A member who has confirmed an address may leave it out.
    """
    if not was_asked(form, site):
        return None
    kinds = _kinds(form, site)
    if holder is None:
        if site.email_field is FieldRule.OFF:
            raise InvalidFieldsError({"form": gettext("To get mail from this site, please log in.")})
        return MailWish(kinds, guest.email or fields.email(form.value("email")))
    typed = form.value("notify_email")
    known = None if typed.strip() else subscription_requests.proven_address(database(), holder.commenter_id)
    try:
        return MailWish(kinds, known or fields.email(typed))
    except InvalidFieldsError as error:
        raise InvalidFieldsError({"notify_email": error.fields["email"]}) from None


def store(
    session: Session, wish: MailWish | None, posted: PostedComment, author: Author, site_id: int
) -> None:
    """Store a wish beside the comment, unless that is spam. Needs the write lock."""
    if wish is None or posted.status is Status.SPAM:
        return
    for kind in wish.kinds:
        wanted = SubscriptionRequest(
            site_id=site_id,
            thread_id=None if kind is SubscriptionKind.POSTS else posted.thread_id,
            kind=kind,
            address=wish.address,
            commenter_id=author.commenter_id,
            author_key_hash=author.author_key_hash if author.commenter_id is None else None,
        )
        subscription_requests.request(session, hash_key(), wanted, at=now())


def _kinds(form: CommentForm, site: Site) -> tuple[SubscriptionKind, ...]:
    """Return what was ticked, of what the site offers."""
    kinds: list[SubscriptionKind] = []
    if site.comment_mail and form.value("notify"):
        is_all = form.value("notify_what") != SubscriptionKind.REPLIES
        kinds.append(SubscriptionKind.THREAD if is_all else SubscriptionKind.REPLIES)
    if site.post_mail and form.value("notify_posts"):
        kinds.append(SubscriptionKind.POSTS)
    return tuple(kinds)
