"""Imports the records of a reader in small transactions, and no comment twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import article_urls
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.domain.transfer import import_matching, import_plan, import_store, import_updates
from commentsvc.domain.transfer.import_log import ImportLog
from commentsvc.domain.transfer.import_matching import CommentMatch, ImportMatching, State
from commentsvc.domain.transfer.import_plan import NotImported, PlannedComment
from commentsvc.domain.transfer.import_report import ImportReport, ImportTally
from commentsvc.domain.transfer.import_store import ThreadToStore
from commentsvc.domain.transfer.import_updates import Difference
from commentsvc.domain.transfer.records import ImportedThread
from commentsvc.errors import BadAddressError, TransferError
from commentsvc.models import Kind, Site, Status

BATCH = 500
"""Comments per transaction: SQLite has one writer, and visitors' posts must not wait for an import."""

Progress = Callable[[int], object]
_REPEATED = "listed a second time, word for word"
_DELETED = "deleted here after an earlier import"
_CLOSED = "articles closed to new comments there, and so here"
_BY_AUTHOR = "written by “{}”, whose account here was given"
_STILL_OPEN = "articles closed to new comments there, but open here, where their threads existed"


class ImportStoppedError(TransferError):
    """The file could not be read to its end; everything before that is imported, as `report` says."""

    def __init__(self, message: str, report: ImportReport) -> None:
        super().__init__(message)
        self.report = report


def run(
    session: Session,
    site: Site,
    articles: Iterable[ImportedThread],
    *,
    at: datetime,
    dry_run: bool = False,
    to: str | None = None,
    progress: Progress | None = None,
    file_notes: Counter[str] | None = None,
    authors: Mapping[str, int] | None = None,
    update: bool = False,
    moderator_id: int | None = None,
) -> ImportReport:
    """Import `articles` into `site` and return a report; with `dry_run` change nothing.

    Commits every few hundred comments; after an interruption the next run adds what is missing. `to` is the articles'
    new home, an origin of the site with or without a path; without it, articles of a host that the site does not have
    go to its first origin. `progress` is called with the number of comments processed since its last call. `file_notes`
    is what the reader counts, for the report. `authors` has the accounts of the old site's authors, by their logins
    there. With `update`, existing comments get the text and status that the file has by now, unless somebody has
    changed them here. `moderator_id` is who imports, for the log. Raises ImportStoppedError where the reader raises
    TransferError, and TransferError for a `to` outside the site.
    """
    log = ImportLog(session, site.id, at=at, moderator_id=moderator_id)
    work = _Import(
        session, site, at=at, dry_run=dry_run, to=to, progress=progress or (lambda _: None), log=log
    )
    work.name_authors(authors or {})
    work.update = update and not dry_run
    with closing(work):
        try:
            for article in articles:
                work.take(article)
        except TransferError as error:
            raise ImportStoppedError(str(error), work.finish(file_notes)) from None
        return work.finish(file_notes)


class _Import:
    def __init__(
        self,
        session: Session,
        site: Site,
        *,
        at: datetime,
        dry_run: bool,
        to: str | None,
        progress: Progress,
        log: ImportLog,
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
        self._matching = ImportMatching(session, site.id)
        self.update = False
        """Whether existing comments become what the file says."""
        self._differences: list[Difference] = []
        self._accounts: Mapping[str, int] = {}
        self._log = log

    def name_authors(self, accounts: Mapping[str, int]) -> None:
        """Give the comments of the old site's authors to these accounts, by their logins there."""
        self._accounts = accounts
        self._tally.notes.update(dict.fromkeys(map(_BY_AUTHOR.format, accounts), 0))

    def take(self, article: ImportedThread) -> None:
        """Import one article's comments, except those that wait for a full batch."""
        self._log.systems.add(article.system)
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

    def finish(self, file_notes: Counter[str] | None) -> ImportReport:
        """Store the waiting comments and return the report."""
        self._write()
        self._bring()
        self._session.rollback()  # end the transaction of the last read
        self._tally.notes.update(file_notes or {})
        return self._tally.report()

    def close(self) -> None:
        """Remove what lies in temporary files."""
        self._matching.pending.close()

    def _address(self, article: ImportedThread) -> ThreadAddress:
        home = import_plan.home_of(article.url, origins=self._origins, to=self._to)
        url = import_plan.moved_url(article, home)
        address = threads.address_on(self._site, url, page_id=article.page_id)
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
        named = [record for record in article.comments if record.id]
        self._skip("without a number of their own", len(article.comments) - len(named))
        records, repeated = import_matching.with_own_ids(named)
        self._skip(_REPEATED, repeated)
        records = [import_plan.prepared(article, record, address.url, self._accounts) for record in records]
        matches = self._matching.match(article, address, records)
        written = self._matching.written
        # The parent for replies to each comment: the comment itself; if it is skipped, its own parent; or None.
        stands: dict[str, str | None] = {}
        hidden: set[str | None] = set()
        for record in import_plan.in_order(records):
            match, parent_key = matches[record.id], None
            if record.kind is Kind.COMMENT and record.parent_id is not None:
                parent_key = stands.get(record.parent_id, import_plan.transfer_key(article, record.parent_id))
            stands[record.id] = match.key if record.kind is Kind.COMMENT else None
            is_reply = record.kind is Kind.COMMENT and record.parent_id is not None
            is_below_hidden = article.hides_replies and is_reply and record.parent_id in hidden
            if is_below_hidden or record.status is not Status.APPROVED:
                hidden.add(record.id)
            if match.state is not State.NEW:
                self._leave(match, address)
                if match.stored is not None:
                    digest = written[record.id].digest
                    self._compare(
                        import_updates.difference(
                            article, record, match.stored, digest=digest, is_below_hidden=is_below_hidden
                        )
                    )
                continue
            try:
                planned = import_plan.plan(
                    article, record, key=match.key, parent_key=parent_key, is_below_hidden=is_below_hidden
                )
            except NotImported as verdict:
                stands[record.id] = parent_key
                self._skip(str(verdict), 1)
            else:
                self._note_thread(article, address)
                if record.commenter_id is not None:
                    self._tally.notes[_BY_AUTHOR.format(record.user)] += 1
                self._matching.pending[match.key] = written[record.id]
                yield planned

    def _leave(self, match: CommentMatch, address: ThreadAddress) -> None:
        """Count a comment that is not new."""
        if match.state is State.REPEATED:
            self._skip(_REPEATED, 1)
        elif match.state is State.DELETED:
            self._skip(_DELETED, 1)
        else:
            self._tally.already_there += 1
            self._progress(1)
            if match.stored is not None:
                if match.stored.thread == address.key:
                    self._tally.threads_existing.add(address.key)
                else:
                    self._tally.elsewhere[match.stored.thread_id, match.stored.url, address.url] += 1

    def _compare(self, difference: Difference | None) -> None:
        if difference is not None:
            self._tally.differing.update(difference.kinds)
            self._differences.append(difference)
            if len(self._differences) >= BATCH:
                self._bring()

    def _bring(self) -> None:
        """Change existing comments that differ from the file, if that is wanted."""
        differences, self._differences = self._differences, []
        if self.update and differences:
            begin_write(self._session)
            self._tally.brought.update(
                import_updates.apply_differences(self._session, self._site_id, differences, at=self._at)
            )
            self._session.commit()

    def _wait(self, article: ImportedThread, address: ThreadAddress, batch: list[PlannedComment]) -> None:
        if batch:
            published_at = article.published_at or min(one.created_at for one in batch)
            # The title of an article that is not public must not become visible, even when a comment on it is approved.
            title = "" if article.hidden else article.title
            self._waiting.append(ThreadToStore(address, title, published_at, batch, article.closed))

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._dry_run:
            for discussion in waiting:
                self._pretend(discussion)
            self._session.rollback()
        elif waiting:
            begin_write(self._session)
            action = self._log.entry(sum(self._tally.new.values()))
            for discussion in waiting:
                import_store.store(
                    self._session, discussion, at=self._at, action_id=action.id, tally=self._tally
                )
            self._log.conclude(action, sum(self._tally.new.values()))
            self._session.commit()
            self._matching.pending.clear()
        self._progress(sum(len(discussion.comments) for discussion in waiting))

    def _pretend(self, discussion: ThreadToStore) -> None:
        """Count what `import_store.store` would do."""
        pending, place = self._matching.pending, discussion.address.key
        parents = {key for one in discussion.comments if (key := one.parent_key) and key not in pending}
        there = import_store.stored_comments(self._session, self._site_id, parents)
        later = {one.key for one in discussion.comments}
        for one in discussion.comments:
            parent = pending.get(one.parent_key or "") or there.get(one.parent_key or "")
            if one.parent_key in later:  # a circle begins here
                parent = None
            later.remove(one.key)
            self._tally.add(
                one, orphan=one.parent_key is not None and (parent is None or parent.thread != place)
            )

    def _note_thread(self, article: ImportedThread, address: ThreadAddress) -> None:
        """Count a thread that gets a comment, once."""
        if address.key in self._tally.threads_new | self._tally.threads_existing:
            return
        thread = threads.find(self._session, address)
        (self._tally.threads_existing if thread else self._tally.threads_new).add(address.key)
        if article.closed and (thread is None or thread.closed_at is None):
            self._tally.notes[_STILL_OPEN if thread else _CLOSED] += 1

    def _skip(self, reason: str, number: int) -> None:
        if number:
            self._tally.skipped[reason] += number
            self._progress(number)
