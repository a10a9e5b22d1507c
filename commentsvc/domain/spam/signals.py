"""Looks up the data that the checks need beside the comment: a few indexed reads, outside any lock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import bindparam
from sqlalchemy.orm import Session

from commentsvc.domain import article_urls
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.fields import Guest
from commentsvc.domain.proofs import address_proofs
from commentsvc.domain.proofs.address_proofs import ProofSignals
from commentsvc.domain.spam import lookalikes, spam_filter, tokens
from commentsvc.domain.spam.checks import Rules, Verdict
from commentsvc.domain.spam.lookalikes import Namesake
from commentsvc.domain.spam.spam_filter import Score
from commentsvc.domain.spam.tokens import TokenSource
from commentsvc.domain.surge.detection import SurgeLevel
from commentsvc.models import Commenter, Site
from commentsvc.text import markup


@dataclass(frozen=True)
class Signals:
    """The data; `opinions` are the verdicts of outside services."""

    words: dict[str, str | None]
    links: int
    namesake: Namesake | None = None
    proof: ProofSignals = field(default_factory=ProofSignals)
    score: Score | None = None
    opinions: tuple[Verdict, ...] = ()
    pressure: SurgeLevel | None = None
    """None: not known yet; the level has to be judged in a transaction that can write."""


# The people whose names nobody may imitate, whether there are bans and a trained filter (most sites have neither, and
# the full queries are large), and proofs of this address and name.
_ON_SITE = lookalikes.MEMBERS.add_columns(
    bans.has_bans(bindparam("site_id")).label("has_bans"),
    spam_filter.has_learned(bindparam("site_id")).label("filter_has_learned"),
    *address_proofs.CONDITIONS,
)


def gather(
    session: Session,
    site_id: int,
    source: str,
    html: str,
    author: Author,
    *,
    at: datetime,
    article_url: str | None = None,
) -> Signals:
    """Look everything up; raises BannedError. For authors with a role on the site it looks nothing up.

    Links to a text of the article, which come with a quote of it, are not counted.
    """
    addresses = tokens.links(html)
    quoted = article_urls.text_link_prefix(article_url) if article_url else None
    links = sum(quoted is None or not address.startswith(quoted) for address in addresses)
    if author.role is not None:
        return Signals(words={}, links=links)
    typed, shown = author.guest, _shown_details(session, author)
    compared = address_proofs.parameters(author.proof_hashes, author.author_key_hash)
    # By the connection, because the session's work for mapped classes would take longer than the query.
    on_site = session.connection().execute(_ON_SITE, {"site_id": site_id, **compared}).all()
    if on_site[0].has_bans:
        hosts = bans.hosts_of([shown.website, *addresses])
        bans.require_not_banned(session, site_id, author, hosts=hosts, at=at)
    score = None
    if on_site[0].filter_has_learned:
        token_source = TokenSource(source, html, typed.name, typed.email, typed.website)
        score = spam_filter.score(session, site_id, token_source)
    return Signals(
        words=words_of(source, html, shown, client_ip=author.client_ip),
        links=links,
        proof=address_proofs.signals_of(on_site[0]),
        namesake=lookalikes.find(
            session, site_id, shown.name, commenter_id=author.commenter_id, members=on_site
        ),
        score=score,
    )


def words_of(source: str, html: str, shown: Guest, *, client_ip: str | None = None) -> dict[str, str | None]:
    """Return the texts to compare with the word lists; "text" is the source followed by the text without markup.

    `shown` has the details that readers see, and the e-mail address.
    """
    plain = markup.plain(html)
    return {
        "text": f"{source}\n{plain}",
        "name": shown.name,
        "e-mail address": shown.email,
        "website": shown.website,
        "network address": client_ip,
    }


def rules_of(site: Site) -> Rules:
    """Return a site's current rules."""
    return Rules(
        moderation_words=site.moderation_words,
        disallowed_words=site.disallowed_words,
        most_links=site.most_links,
        filter_threshold=site.filter_threshold,
    )


def _shown_details(session: Session, author: Author) -> Guest:
    """Return the details that readers see: for an account, the account's name and website."""
    if author.commenter_id is None:
        return author.guest
    person = session.get(Commenter, author.commenter_id)
    return replace(author.guest, name=person.name, website=person.website) if person else author.guest
