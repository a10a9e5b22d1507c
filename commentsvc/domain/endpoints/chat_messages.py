"""What chat services are told of an event."""

from __future__ import annotations

from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.endpoints import event_data
from commentsvc.domain.subscriptions import decision_links
from commentsvc.domain.subscriptions.links import MailLinks
from commentsvc.domain.surge import episodes
from commentsvc.integrations.chat.message import ChatLink, ChatMessage, harmless, harmless_line
from commentsvc.models import Delivery, Endpoint, Event, Pressure, Thread

_HEADLINES = {
    Event.HELD: "A comment waits for a decision on {site}",
    Event.PUBLISHED: "New comment on {site}",
    Event.REPORTED: "A reader reported a comment on {site}",
    Event.CLOSED: "An article is closed for comments on {site}",
    Event.SURGE_BEGAN: "Comments are pouring in on {site}",
    Event.SURGE_ENDED: "The surge of comments on {site} is over",
    Event.TEST: "This is a test of the comments of {site}",
}


def write(
    session: Session, row: Delivery, endpoint: Endpoint, links: MailLinks, secret: str
) -> ChatMessage | None:
    """Return the message about an event; None if it is no longer true. `secret` signs the links."""
    if row.event is None:
        return None
    headline = _HEADLINES[row.event].format(site=harmless_line(endpoint.site.name))
    if row.event is Event.TEST:
        return ChatMessage(headline)
    if row.event is Event.CLOSED:
        thread = session.get(Thread, row.about_id)
        return ChatMessage(headline, harmless_line(thread.title or thread.url)) if thread else None
    queue = ChatLink("Open the queue", links.queue(endpoint.site_id))
    if row.event in (Event.SURGE_BEGAN, Event.SURGE_ENDED):
        surge = session.get(Pressure, row.about_id)
        return (
            ChatMessage(headline, harmless_line(episodes.where(session, surge)), [queue]) if surge else None
        )
    comment = event_data.true_comment(session, row)
    if comment is None:
        return None
    author = harmless_line(event_data.author_name(comment) or "Anonymous")
    title = harmless_line(comment.thread.title or comment.thread.url)
    quoted = f"{author}, on “{title}”:\n{harmless(comment.source)}"
    if row.event is Event.HELD:
        return ChatMessage(headline, quoted, [*_decisions(session, row, endpoint, links, secret), queue])
    see = ChatLink("See it in place", links.comment(comment.id))
    return ChatMessage(headline, quoted, [see, queue] if row.event is Event.REPORTED else [see])


def _decisions(
    session: Session, row: Delivery, endpoint: Endpoint, links: MailLinks, secret: str
) -> list[ChatLink]:
    """Return the links that decide; none unless an owner wants them and still has a role."""
    person = endpoint.commenter_id
    if not endpoint.has_links or person is None:
        return []
    if accounts.role_on(session, person, endpoint.site_id) is None:
        return []
    token = decision_links.token_of(secret, row)
    return [
        ChatLink(label, links.held(row.id, token, action))
        for label, action in (("Approve", "approve"), ("Spam", "spam"))
    ]
