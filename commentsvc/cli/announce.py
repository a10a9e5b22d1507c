"""`commentsvc announce`: mail about a new article, for sites without a feed."""

from __future__ import annotations

import click

from commentsvc.cli import background_work, output, service
from commentsvc.domain import article_urls, fields
from commentsvc.domain.sites import sites
from commentsvc.domain.subscriptions import announcements
from commentsvc.domain.subscriptions.announcements import Article
from commentsvc.errors import CommentsvcError
from commentsvc.models import now


@click.command()
@click.argument("url")
@click.option("--title", metavar="TEXT", help="Its title; otherwise the one that its page has.")
def announce(url: str, title: str | None) -> None:
    """Mail everybody who asked for new articles that there is one at URL.

    The background work sends the mails. The same article can be announced again, so give each address once.
    """
    settings = service.settings()
    with service.opened(settings) as session:
        site = sites.by_origin(session, article_urls.origin_of(url))
        article_url = article_urls.canonical(url, site.ignored_parameters)
        origins = frozenset(origin.origin for origin in site.origins)
        site_id, name, is_on = site.id, site.name, site.post_mail
    if not is_on:
        raise CommentsvcError(
            f"Readers of {name!r} may not ask for it: `commentsvc site edit` has --post-mail."
        )
    if title is None:
        page = background_work.title_reader(settings)(article_url, origins)
        title = page.title if page else None
    shown = fields.title(title)
    if shown is None:
        raise CommentsvcError("The page of this article has no title, or does not answer: give --title.")
    with service.writing(settings) as session:
        announcements.announce(session, site_id, [Article(shown, article_url)], at=now())
        number = announcements.subscribers(session, site_id)
    click.echo(f"Announced {shown!r} to {output.counted(number, 'subscriber')}.")
