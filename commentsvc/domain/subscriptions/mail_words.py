"""The mails to subscribers: their words, links, and the headers by which mail programs group and end them.

They are written in the current language: `composing.py` makes the recipient's current.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby

from commentsvc import messages
from commentsvc.domain.notifications.outbox import OutgoingMail
from commentsvc.domain.subscriptions.links import MailLinks
from commentsvc.domain.threads import titles
from commentsvc.integrations import mail_templates
from commentsvc.integrations.mail_templates import MailWords
from commentsvc.messages import gettext
from commentsvc.models import Comment, Delivery, Subscription, Thread

TEXT_LONGEST = 1500
"""Characters of a comment in a mail."""
MOST_COMMENTS = 50
"""Comments in one mail; the others are counted in it."""
LINK_DAYS = 7
"""Days for which a moderator's links work."""
StopLink = Callable[[str], str]
"""Returns the address that ends a subscription, from its token."""


@dataclass(frozen=True, slots=True)
class MailedComment:
    """A comment in a mail."""

    comment: Comment
    is_answer: bool
    """Whether it answers the recipient."""


@dataclass(frozen=True, slots=True)
class HeldPart:
    """A comment in a mail to a moderator, and the link by which they decide."""

    comment: Comment
    delivery_id: int
    token: str
    reasons: list[str] = field(default_factory=list)
    """Why it is held, in words."""


@dataclass(frozen=True, slots=True)
class MailWriter:
    """Writes mails for one service."""

    links: MailLinks
    host: str
    """The right side of our Message-IDs and List-Ids: a domain in ASCII."""

    def confirmation(
        self, row: Delivery, subscription: Subscription, wishes: Sequence[Subscription], token: str
    ) -> OutgoingMail:
        """Return a confirmation mail; nothing in it was written by a stranger."""
        words = mail_templates.render(
            "confirmation",
            site=subscription.site.name,
            host=self.host,
            wishes=[{"kind": one.kind.value, "title": _approved_title(one)} for one in wishes],
            confirm_url=self.links.confirm(token),
        )
        return self._letter(row, subscription, words, message_id=f"confirm.{row.id}@{self.host}")

    def published(self, row: Delivery, subscription: Subscription, part: MailedComment) -> OutgoingMail:
        """Return a mail that says that the recipient's comment is published."""
        words = mail_templates.render(
            "published",
            **self._about(subscription),
            title=title_of(part.comment.thread),
            comment=self._facts(part),
            stop_url=self.links.stop(subscription.token),
        )
        message_id = f"published.{part.comment.id}@{self.host}"
        return self._letter(row, subscription, words, message_id=message_id, stops=self.links.stop)

    def comments(
        self,
        row: Delivery,
        subscription: Subscription,
        parts: Sequence[MailedComment],
        *,
        answered: str | None,
        others: tuple[tuple[int, int], ...],
    ) -> OutgoingMail:
        """Return a mail about one article; `answered` is the Message-ID of the mail with the first one's parent."""
        first = parts[0].comment
        words = mail_templates.render(
            "comments",
            **self._about(subscription),
            subject_title=subscription.title,
            title=title_of(first.thread),
            article_url=first.thread.url,
            comments=[self._facts(part) for part in parts[:MOST_COMMENTS]],
            more=max(0, len(parts) - MOST_COMMENTS),
            kind=subscription.kind.value,
            stop_url=self.links.stop(subscription.token),
        )
        root = f"<thread.{first.thread_id}@{self.host}>"
        parent = f"<{answered}>" if answered else root
        threading = (
            ("In-Reply-To", parent),
            ("References", root if parent == root else f"{root} {parent}"),
        )
        return self._letter(
            row,
            subscription,
            words,
            message_id=row.message_id or f"comment.{first.id}@{self.host}",
            sender_name=_name(first) if len(parts) == 1 else "",
            stops=self.links.stop,
            headers=threading,
            others=others,
        )

    def digest(
        self,
        row: Delivery,
        subscription: Subscription,
        parts: Sequence[MailedComment],
        *,
        others: tuple[tuple[int, int], ...],
    ) -> OutgoingMail:
        """Return a mail about several articles of a site."""
        shown = sorted(parts[:MOST_COMMENTS], key=lambda part: (part.comment.thread_id, part.comment.id))
        articles = []
        for _, those in groupby(shown, key=lambda part: part.comment.thread_id):
            of_thread = list(those)
            thread = of_thread[0].comment.thread
            articles.append(
                {
                    "title": title_of(thread),
                    "url": thread.url,
                    "comments": [self._facts(part) for part in of_thread],
                }
            )
        words = mail_templates.render(
            "digest",
            **self._about(subscription),
            articles=articles,
            number=len(parts),
            more=max(0, len(parts) - MOST_COMMENTS),
            stop_url=self.links.stop_site(subscription.token),
        )
        return self._letter(
            row,
            subscription,
            words,
            message_id=row.message_id or f"digest.{row.id}@{self.host}",
            stops=self.links.stop_site,
            others=others,
        )

    def posts(
        self,
        row: Delivery,
        subscription: Subscription,
        articles: Sequence[Mapping[str, str]],
        *,
        others: tuple[tuple[int, int], ...],
    ) -> OutgoingMail:
        """Return a mail about new articles, each with `title` and `url`."""
        words = mail_templates.render(
            "posts",
            **self._about(subscription),
            articles=articles,
            stop_url=self.links.stop(subscription.token),
        )
        message_id = row.message_id or f"posts.{row.id}@{self.host}"
        return self._letter(
            row, subscription, words, message_id=message_id, stops=self.links.stop, others=others
        )

    def held(
        self,
        row: Delivery,
        subscription: Subscription,
        parts: Sequence[HeldPart],
        *,
        number: int,
        others: tuple[tuple[int, int], ...],
    ) -> OutgoingMail:
        """Return a mail to a moderator about comments that wait; `number` is how many wait on the site in all."""
        words = mail_templates.render(
            "held",
            **self._about(subscription),
            comments=[self._held_facts(part) for part in parts],
            number=number,
            more=max(0, number - len(parts)),
            queue_url=self.links.queue(subscription.site_id),
            days=LINK_DAYS,
            stop_url=self.links.stop(subscription.token),
        )
        message_id = row.message_id or f"held.{row.id}@{self.host}"
        return self._letter(
            row, subscription, words, message_id=message_id, stops=self.links.stop, others=others
        )

    def sample(
        self, row: Delivery, subscription: Subscription, name: str, facts: dict[str, object]
    ) -> OutgoingMail:
        """Return a mail that shows a moderator what a template looks like."""
        words = mail_templates.render(name, site=subscription.site.name, host=self.host, **facts)
        # translators: the subject of a mail that shows an owner what readers get
        words = replace(words, subject=gettext("Sample: %(subject)s") % {"subject": words.subject})
        return self._letter(row, subscription, words, message_id=f"sample.{row.id}@{self.host}")

    def _held_facts(self, part: HeldPart) -> dict[str, object]:
        link = partial(self.links.held, part.delivery_id, part.token)
        return {
            **self._facts(MailedComment(part.comment, is_answer=False)),
            "title": title_of(part.comment.thread),
            "reasons": part.reasons,
            "approve_url": link("approve"),
            "spam_url": link("spam"),
            "trash_url": link("trash"),
            "reply_url": link("reply"),
        }

    def _about(self, subscription: Subscription) -> dict[str, str]:
        return {
            "site": subscription.site.name,
            "list_url": self.links.all(subscription.token),
        }

    def _facts(self, part: MailedComment) -> dict[str, object]:
        text = part.comment.source
        return {
            "author": _name(part.comment),
            "text": text[:TEXT_LONGEST],
            "is_cut": len(text) > TEXT_LONGEST,
            "is_answer": part.is_answer,
            "url": self.links.comment(part.comment.id),
        }

    def _letter(
        self,
        row: Delivery,
        subscription: Subscription,
        words: MailWords,
        *,
        message_id: str,
        sender_name: str = "",
        stops: StopLink | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        others: tuple[tuple[int, int], ...] = (),
    ) -> OutgoingMail:
        """Return the mail; with `stops` it is one that somebody subscribed to, and has a button that ends it."""
        site = mail_templates.line(subscription.site.name)
        name = mail_templates.line(sender_name)[:60]
        listed = (
            (
                ("List-Id", f"<site-{subscription.site_id}.comments.{self.host}>"),
                ("List-Unsubscribe", f"<{stops(subscription.token)}>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                ("Precedence", "list"),
            )
            if stops
            else ()
        )
        row.message_id = message_id
        return OutgoingMail(
            row.id,
            row.attempts,
            subscription.address or "",
            words.subject,
            words.text,
            html=words.html,
            # translators: who sends a mail: the writer of a comment, and the website
            sender_name=gettext("%(name)s via %(site)s") % {"name": name, "site": site} if name else site,
            message_id=message_id,
            headers=(
                *headers,
                *listed,
                ("X-Auto-Response-Suppress", "All"),
                ("Content-Language", messages.language().code),
            ),
            others=others,
            recipient_hash=row.recipient_hash,
        )


def title_of(thread: Thread | None) -> str:
    """Return how mails name an article."""
    return titles.name_for_mail(thread) if thread is not None else ""


def _approved_title(subscription: Subscription) -> str:
    """Return a title that no stranger chose; empty if there is none. Even an address can say something."""
    thread = subscription.thread
    return (titles.approved_title(thread) or "") if thread is not None else ""


def _name(comment: Comment) -> str:
    name = comment.commenter.name if comment.commenter else comment.guest_name
    return name or gettext("Anonymous")
