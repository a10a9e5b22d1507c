"""What the checks need to know about a comment beyond itself: a few indexed reads, made outside any lock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.bans import bans
from commentsvc.domain.bans.bans import HashInMonth, Sender
from commentsvc.domain.spam import lookalikes, spam_filter, tokens
from commentsvc.domain.spam.checks import Rules, Verdict
from commentsvc.domain.spam.lookalikes import Namesake
from commentsvc.domain.spam.spam_filter import Score
from commentsvc.domain.spam.tokens import TokenSource
from commentsvc.domain.surge.detection import SurgeLevel
from commentsvc.models import Commenter, Role, Site
from commentsvc.text import markup


@dataclass(frozen=True)
class CheckedAuthor:
    """Who wrote, as far as it concerns the checks."""

    name: str | None = None
    email: str | None = None
    website: str | None = None
    commenter_id: int | None = None
    role: Role | None = None
    author_key_hash: str | None = None
    network_hash: str | None = None
    address: str | None = None
    """The client's own; it is compared and never stored."""
    network_hash_in: HashInMonth | None = None
    """The network's hash in the months of earlier bans."""


@dataclass(frozen=True)
class Signals:
    """What was found; `opinions` are those of services that were asked."""

    words: dict[str, str | None]
    links: int
    namesake: Namesake | None = None
    score: Score | None = None
    opinions: tuple[Verdict, ...] = ()
    pressure: SurgeLevel | None = None
    """None: to be judged where it can be written down."""


def gather(
    session: Session, site_id: int, source: str, html: str, writer: CheckedAuthor, *, at: datetime
) -> Signals:
    """Look everything up; raises BannedError. Whoever has a role on the site is not looked into."""
    addresses = tokens.links(html)
    if writer.role is not None:
        return Signals(words={}, links=len(addresses))
    typed, writer = writer, _as_shown(session, writer)
    # Most sites have neither, and what would be looked for is long to say.
    on_site = select(bans.are_on(site_id), spam_filter.has_learned(site_id))
    has_bans, filter_has_learned = session.execute(on_site).one()
    if has_bans:
        hosts = bans.hosts_of([writer.website, *addresses])
        sender = Sender(
            writer.commenter_id,
            writer.author_key_hash,
            writer.email,
            writer.network_hash,
            writer.address,
            hosts,
            writer.network_hash_in,
        )
        bans.require_welcome(session, site_id, sender, at=at)
    score = None
    if filter_has_learned:
        token_source = TokenSource(source, html, typed.name, typed.email, typed.website)
        score = spam_filter.score(session, site_id, token_source)
    return Signals(
        words=words_of(source, html, writer),
        links=len(addresses),
        namesake=lookalikes.find(session, site_id, writer.name, commenter_id=writer.commenter_id),
        score=score,
    )


def words_of(source: str, html: str, writer: CheckedAuthor) -> dict[str, str | None]:
    """Return what the lists of words are held against: the text also without its markup, as readers see it."""
    plain = markup.plain(html)
    return {
        "text": f"{source}\n{plain}",
        "name": writer.name,
        "e-mail address": writer.email,
        "website": writer.website,
        "network address": writer.address,
    }


def rules_of(site: Site) -> Rules:
    """Return the rules that hold on a site now."""
    return Rules(
        moderation_words=site.moderation_words,
        disallowed_words=site.disallowed_words,
        most_links=site.most_links,
        filter_threshold=site.filter_threshold,
    )


def _as_shown(session: Session, writer: CheckedAuthor) -> CheckedAuthor:
    """Somebody with an account bears the name and the website of the account."""
    if writer.commenter_id is None:
        return writer
    person = session.get(Commenter, writer.commenter_id)
    return replace(writer, name=person.name, website=person.website) if person else writer
