"""The commands fragment and publish: comments for pages that a generator builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from commentsvc.cli import options, output, service
from commentsvc.cli.published_folder import PublishedFolder, as_json, name_of, write_file
from commentsvc.domain.reading import public_records, structured_data, thread_pages, whole_threads
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Site, Thread, now
from commentsvc.web import page_language
from commentsvc.web.thread import thread_fragments
from commentsvc.web.thread.thread_fragments import FragmentSource
from commentsvc.web.thread_request import STANDALONE, ThreadRequest


@click.command()
@click.argument("url", metavar="URL")
@click.option(
    "--thread-id", "page_id", default="", metavar="ID", help="The id that the page gives its thread."
)
@click.option("--node", default="", metavar="ID", help="The @id of the page's own Article in its JSON-LD.")
@click.option(
    "--output",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write into this file, which stays as it was if that fails.",
)
def fragment(url: str, page_id: str, node: str, path: Path | None) -> None:
    """Print the comments on an article as plain HTML.

    It is what /fragment?url=URL answers: for pages that a generator builds (docs/static-pages.md).
    """
    with service.opened(service.settings()) as session:
        thread_request = ThreadRequest(STANDALONE, url, page_id=page_id)
        address = threads.locate(session, url=url, page_id=page_id)
        node_id = structured_data.checked_node_id(address.site, node)
        page_language.use_sites(address.site)
        thread = threads.find(session, address)
        source = FragmentSource(address.site, thread, thread_fragments.page_url(thread_request))
        part = thread_fragments.first_part(session, source)
        html = thread_fragments.render(source, part, at=now(), node_id=node_id)
    if path is None:
        click.echo(html, nl=False)
    else:
        write_file(path, html)


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@options.site_option("The site; needed only if there are several.")
def publish(directory: Path, site_name: str | None) -> None:
    """Write a site's public comments into a folder, as JSON and as HTML.

    The folder belongs to your website or its git repository (docs/static-pages.md). Files that have not changed are
    left alone; those of comments that were removed or erased since the last time are changed or removed.
    """
    with service.opened(service.settings()) as session:
        site = options.chosen_site(session, site_name)
        folder = PublishedFolder(directory, site.name)
        ids = _public_threads(session, site)
        with output.bar(len(ids), "Publishing") as bar:
            for thread_id in ids:
                if thread := session.get(Thread, thread_id):  # it may have been merged into another meanwhile
                    _publish(session, folder, thread)
                session.rollback()
                session.expunge_all()
                bar.update(1)
        folder.finish()
    click.echo(f"{output.counted(len(ids), 'thread')}; {output.counted(folder.changed, 'file')} changed.")


def _public_threads(session: Session, site: Site) -> list[int]:
    """Return the ids of the threads in which readers see anything."""
    shown = select(Comment.id).where(Comment.thread_id == Thread.id, Comment.shown).exists()
    query = select(Thread.id).where(Thread.site_id == site.id, or_(Thread.approved_count > 0, shown))
    return list(session.scalars(query.order_by(Thread.id)))


def _publish(session: Session, folder: PublishedFolder, thread: Thread) -> None:
    """Write the files of a thread: one of JSON, and one of HTML for each part."""
    page_language.use_sites(thread.site)
    source = thread_fragments.source_of(thread)
    name = name_of(thread.url, thread.key)
    comments: list[dict[str, Any]] = []
    pages: list[str] = []
    for number, part in enumerate(
        whole_threads.parts(session, thread, thread_pages.order_on(source.site)), start=1
    ):
        views = [view for conversation in part.conversations for view in conversation.views]
        comments += [public_records.comment(view, url=thread.url) for view in (*views, *part.mentions)]
        ending = ".html" if number == 1 else f".{number}.html"
        pages.append(folder.add(name, ending, thread_fragments.render(source, part, at=now())))
    facts = {"url": thread.url, "title": thread.title, "count": thread.approved_count}
    record = {**facts, "page": source.page_url, "comments": comments}
    folder.list_thread({**facts, "json": folder.add(name, ".json", as_json(record)), "html": pages})
