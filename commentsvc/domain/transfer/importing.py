"""Imports the records of a reader in small transactions, and no comment twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import article_urls
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.domain.transfer import import_plan, import_store
from commentsvc.domain.transfer.import_plan import NotImported, PlannedComment
from commentsvc.domain.transfer.import_report import ImportReport, ImportTally
from commentsvc.domain.transfer.import_store import ThreadToStore
from commentsvc.domain.transfer.records import ImportedThread
from commentsvc.errors import BadAddressError
from commentsvc.models import Kind, Site

BATCH = 500
"""Comments per transaction: SQLite has one writer, and visitors' posts must not wait for an import."""

Progress = Callable[[int], object]


def run(
    session: Session,
    site: Site,
    articles: Iterable[ImportedThread],
    *,
    at: datetime,
    dry_run: bool = False,
    to: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import `articles` into `site` and return a report; with `dry_run` change nothing.

    Commits every few hundred comments; after an interruption the next run adds what is missing. `to` is the articles'
    new home, an origin of the site with or without a path; without it, articles of a host that the site does not have
    go to its first origin. `progress` is called with the number of comments processed since its last call. Raises
    TransferError as the reader does, and for a `to` outside the site.
    """
    work = _Import(session, site, at=at, dry_run=dry_run, to=to, progress=progress or (lambda _: None))
    for article in articles:
        work.take(article)
    return work.finish()


class _Import:
    def __init__(
        self, session: Session, site: Site, *, at: datetime, dry_run: bool, to: str | None, progress: Progress
    ) -> None:
        self._session, self._site, self._site_id = session, site, site.id
        self._origins = [item.origin for item in site.origins]
        if to is not None:
            import_plan.require_on_site(to, self._origins)
        self._at, self._dry_run, self._to, self._progress = at, dry_run, to, progress
        self._tally = ImportTally(dry_run)
        self._waiting: list[ThreadToStore] = []
        self._begun: dict[str, ThreadAddress] = {}
        """Articles that had no thread, by their address's `match_key`."""
        self._pretended: dict[str, str] = {}
        """In a dry run: the key of each comment that would be stored by now, and its thread's key."""

    def take(self, article: ImportedThread) -> None:
        """Import one article's comments, except those that wait for a full batch."""
        try:
            address = self._address(article)
        except BadAddressError:
            self._skip("on articles whose address cannot be used", len(article.comments))
            return
        batch: list[PlannedComment] = []
        for planned in self._new(article, address):
            batch.append(planned)
            if sum(len(one.comments) for one in self._waiting) + len(batch) >= BATCH:
                self._wait(article, address, batch)
                self._write()
                batch = []
        self._wait(article, address, batch)

    def finish(self) -> ImportReport:
        """Store the waiting comments and return the report."""
        self._write()
        self._session.rollback()  # end the transaction of the last read
        return self._tally.report()

    def _address(self, article: ImportedThread) -> ThreadAddress:
        home = import_plan.home_of(article.url, origins=self._origins, to=self._to)
        address = threads.address_on(self._site, import_plan.moved_url(article, home))
        if "://" in article.url:
            old = article_urls.page_origin(article.url)
            if old.partition("://")[2] != article_urls.origin_of(home).partition("://")[2]:
                self._tally.moved[old, home] += 1
        return self._as_stored(address)

    def _as_stored(self, address: ThreadAddress) -> ThreadAddress:
        """Return the address of the article's thread, stored or planned."""
        thread = threads.find(self._session, address)
        if thread is not None:
            return ThreadAddress(self._site, thread.key, thread.url)
        return self._begun.setdefault(address.match, address)

    def _new(self, article: ImportedThread, address: ThreadAddress) -> Iterator[PlannedComment]:
        """Yield an article's new comments in the order in which they are inserted."""
        named = {record.id: record for record in article.comments if record.id}
        unnamed = sum(not record.id for record in article.comments)
        self._skip("without a number of their own", unnamed)
        self._there_before(len(article.comments) - unnamed - len(named))
        keys = {name: import_plan.transfer_key(article, name) for name in named}
        present = self._present(keys.values())
        # The parent for replies to each comment: the comment itself; if it is skipped, its own parent; or None.
        stands: dict[str, str | None] = {}
        for record in import_plan.in_order(list(named.values())):
            key, parent_key = keys[record.id], None
            if record.kind is Kind.COMMENT and record.parent_id is not None:
                parent_key = stands.get(record.parent_id, import_plan.transfer_key(article, record.parent_id))
            stands[record.id] = key if record.kind is Kind.COMMENT else None
            if key in present:
                self._note_thread(address)
                self._there_before(1)
                continue
            try:
                planned = import_plan.plan(article, record, key=key, parent_key=parent_key)
            except NotImported as verdict:
                stands[record.id] = parent_key
                self._skip(str(verdict), 1)
            else:
                self._note_thread(address)
                yield planned

    def _present(self, keys: Iterable[str]) -> set[str]:
        wanted = set(keys)
        there = (self._pretended.keys() & wanted) | set(self._where(wanted))
        return there | import_store.deleted(self._session, self._site_id, wanted - there)

    def _where(self, keys: set[str]) -> dict[str, str]:
        """Return the key of each comment's thread, by transfer key."""
        parents = import_store.stored_parents(self._session, self._site_id, keys)
        return {key: row.thread for key, row in parents.items()}

    def _wait(self, article: ImportedThread, address: ThreadAddress, batch: list[PlannedComment]) -> None:
        if batch:
            published_at = article.published_at or min(one.created_at for one in batch)
            # The title of an article that is not public must not become visible, even when a comment on it is approved.
            title = "" if article.hidden else article.title
            self._waiting.append(ThreadToStore(address, title, published_at, batch))

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._dry_run:
            for discussion in waiting:
                self._pretend(discussion)
            self._session.rollback()
        elif waiting:
            begin_write(self._session)
            for discussion in waiting:
                import_store.store(self._session, discussion, at=self._at, tally=self._tally)
            self._session.commit()
        self._progress(sum(len(discussion.comments) for discussion in waiting))

    def _pretend(self, discussion: ThreadToStore) -> None:
        """Count what `import_store.store` would do, and remember it."""
        parents = {one.parent_key for one in discussion.comments if one.parent_key} - self._pretended.keys()
        there = self._where(parents)
        for one in discussion.comments:
            if one.key in self._pretended:
                self._tally.already_there += 1
                continue
            parent_thread = self._pretended.get(one.parent_key or "") or there.get(one.parent_key or "")
            self._tally.add(
                one, orphan=one.parent_key is not None and parent_thread != discussion.address.key
            )
            self._pretended[one.key] = discussion.address.key

    def _note_thread(self, address: ThreadAddress) -> None:
        if address.key not in self._tally.threads_new and address.key not in self._tally.threads_existing:
            there = threads.find(self._session, address)
            (self._tally.threads_existing if there else self._tally.threads_new).add(address.key)

    def _there_before(self, number: int) -> None:
        self._tally.already_there += number
        self._progress(number)

    def _skip(self, reason: str, number: int) -> None:
        if number:
            self._tally.skipped[reason] += number
            self._progress(number)
