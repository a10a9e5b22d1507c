"""Replays the ledger in a restored database, so that what was erased since the backup is erased again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from commentsvc.domain import hash_keys
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.domain.comments import comment_text, erased_comments
from commentsvc.domain.ledger import entries, subjects
from commentsvc.domain.ledger.files import Entry
from commentsvc.domain.maintenance import erasure, expired_comments
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.proofs import address_proofs
from commentsvc.domain.recovery.replayed_mail import MailReplay
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads
from commentsvc.domain.votes import voters
from commentsvc.messages import gettext_noop
from commentsvc.models import Comment, Commenter, Identity, LedgerKind, Revision, Site, Status

BATCH = 200
"""Comments whose threads are locked at once."""
_SINCE = Verdict(CheckName.ERASED, Status.TRASH, gettext_noop("It was erased after the backup was made."))


@dataclass(slots=True)
class ReplayReport:
    """What was done again."""

    comments: int = 0
    people: int = 0
    """Accounts and guests."""
    logins: int = 0
    subscriptions: int = 0
    """Ended."""
    addresses: int = 0
    """That get no more mail, or that were erased."""

    def __bool__(self) -> bool:
        return any((self.comments, self.people, self.logins, self.subscriptions, self.addresses))


def replay(session: Session, ledgers: Mapping[bytes, Iterable[Entry]]) -> ReplayReport:
    """Replay ledgers, each given with the key of its hashes. Needs `begin_write`; the caller commits.

    Events from before the backup have no effect, and what people did after they were erased stays.
    """
    report = ReplayReport()
    own_key = hash_keys.load_within(session)
    with entries.paused(session):
        for key, recorded in ledgers.items():
            in_order = sorted(recorded, key=lambda entry: entry.at)
            _Replay(session, key, in_order, report).run()
            mail = MailReplay(session, key, own_key, in_order)
            report.addresses += mail.erase_addresses() + mail.suppress()
            report.subscriptions += mail.end_subscriptions()
            if key == own_key:
                entries.store(session, in_order)
    session.flush()
    return report


class _Replay:
    """The comments, people and guests of one ledger."""

    def __init__(
        self, session: Session, key: bytes, recorded: Collection[Entry], report: ReplayReport
    ) -> None:
        self._session, self._key, self._report = session, key, report
        self._recorded: dict[LedgerKind, dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
        for entry in recorded:
            self._recorded[entry.kind][entry.subject].append(entry)

    def run(self) -> None:
        """Erase them all: people first, because their comments tell what else is about them."""
        self._people()
        self._guests(AuthorKind.EMAIL)
        self._guests(AuthorKind.NAME)
        self._comments()

    def _entries(self, kind: LedgerKind, value: str) -> list[Entry]:
        return self._recorded[kind].get(subjects.hash_of(self._key, kind, value), [])

    def _people(self) -> None:
        if not self._recorded[LedgerKind.PERSON] and not self._recorded[LedgerKind.LOGIN]:
            return
        logins: dict[int, list[Identity]] = defaultdict(list)
        for login in self._session.scalars(select(Identity)):
            logins[login.commenter_id].append(login)
        for account in self._session.scalars(select(Commenter)).all():
            recorded = [
                entry
                for value in subjects.people(account, logins[account.id])
                for entry in self._entries(LedgerKind.PERSON, value)
            ]
            if recorded:
                self._erase_person(account.id, recorded[-1])
                continue
            for login in logins[account.id]:
                (value,) = subjects.people(account, [login])
                if any(login.created_at <= entry.at for entry in self._entries(LedgerKind.LOGIN, value)):
                    self._session.delete(login)
                    self._report.logins += 1
        self._session.flush()

    def _erase_person(self, commenter_id: int, entry: Entry) -> None:
        browsers = address_proofs.browsers_of(self._session, commenter_id)
        address_proofs.forget_browsers(self._session, browsers)
        voters.forget_at_once(self._session, commenter_id=commenter_id, browsers=browsers, at=entry.at)
        texts = Texts(entry.detail or Texts.REMOVE)
        if texts is Texts.REMOVE:
            self._erase(Comment.commenter_id == commenter_id, entry.at)
        erasure.forget_account(self._session, commenter_id, texts)
        self._report.people += 1

    def _guests(self, kind: AuthorKind) -> None:
        if not self._recorded[LedgerKind.GUEST]:
            return
        name = "guest_email" if kind is AuthorKind.EMAIL else "guest_name"
        values: set[str] = set()
        for table in (Comment, Revision):
            column = getattr(table, name)
            values.update(self._session.scalars(select(column).where(column.is_not(None)).distinct()))
        sites = {
            subjects.hash_of_site(self._key, site): site.id for site in self._session.scalars(select(Site))
        }
        for value in sorted(values):
            for entry in self._entries(LedgerKind.GUEST, subjects.guest(kind, value)):
                if entry.site is None or entry.site in sites:
                    site_id = None if entry.site is None else sites[entry.site]
                    self._erase_guest(AuthorRef(kind, value), site_id, entry)

    def _erase_guest(self, who: AuthorRef, site_id: int | None, entry: Entry) -> None:
        here = true() if site_id is None else Comment.site_id == site_id
        theirs = erasure.is_by_guest(who, Comment) & here & (Comment.created_at <= entry.at)
        names = set(self._session.scalars(select(Comment.guest_name).where(theirs).distinct()))
        browsers = set(self._session.scalars(select(Comment.author_key_hash).where(theirs).distinct()))
        keys = [key for key in browsers if key]
        voters.forget_at_once(self._session, browsers=keys, site_id=site_id, at=entry.at)
        if self._erase(theirs, entry.at) or self._has_revision(who, here, entry.at):
            erasure.forget_guest(self._session, who, {name for name in names if name}, site_id=site_id)
            self._report.people += 1

    def _has_revision(self, who: AuthorRef, here: ColumnElement[bool], at: datetime) -> bool:
        query = select(Revision.id).join(Comment, Comment.id == Revision.comment_id)
        query = query.where(erasure.is_by_guest(who, Revision), here, Revision.created_at <= at)
        return self._session.scalar(query.limit(1)) is not None

    def _comments(self) -> None:
        if not self._recorded[LedgerKind.COMMENT]:
            return
        columns = (Comment.id, Comment.created_at, Comment.transfer_key)
        is_blank = Comment.digest == comment_text.digest_of(expired_comments.EMPTY)
        query = select(*columns).where(Comment.erased_at.is_(None), ~is_blank).order_by(Comment.id)
        due: dict[datetime, list[int]] = defaultdict(list)
        for row in self._session.execute(query, execution_options={"yield_per": 1000}):
            uid = subjects.comment_uid(row.id, row.created_at, row.transfer_key)
            if recorded := self._entries(LedgerKind.COMMENT, uid):
                due[recorded[-1].at].append(row.id)
        for at, ids in due.items():  # as many as one transaction has erased
            self._erase(Comment.id.in_(ids), at)

    def _erase(self, which: ColumnElement[bool], at: datetime) -> int:
        """Erase comments; return how many."""
        query = select(Comment.id, Comment.thread_id).where(which, Comment.erased_at.is_(None))
        rows = self._session.execute(query.order_by(Comment.thread_id, Comment.id.desc())).all()
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            threads.lock_all(self._session, {row.thread_id for row in batch})
            ids = [row.id for row in batch]
            erased_comments.forget_words_about(self._session, ids)
            for comment_id in ids:
                comment = self._session.get_one(Comment, comment_id)
                if comment.learned is Status.SPAM:
                    comment.learned = None  # the filter keeps what spam has taught it
                    self._session.flush()
                erased_comments.erase(self._session, comment_id, _SINCE, at=at)
        self._report.comments += len(rows)
        return len(rows)
