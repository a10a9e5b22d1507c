"""Restoring a backup brings back nobody who was erased since, and nobody's mail that was ended since."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain import hash_keys
from commentsvc.domain.accounts import identities
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.domain.archive import restoring
from commentsvc.domain.archive.reading import ArchiveFile
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import own_changes
from commentsvc.domain.ledger import entries, files, subjects, upkeep
from commentsvc.domain.ledger.files import Entry
from commentsvc.domain.maintenance import erasure, expired_comments
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.moderation import decisions
from commentsvc.domain.notifications import suppression
from commentsvc.domain.recovery import ledgers, replaying
from commentsvc.domain.recovery.replaying import ReplayReport
from commentsvc.domain.subscriptions import subscriptions
from commentsvc.domain.subscriptions.subscriptions import Scope
from commentsvc.domain.votes import votes
from commentsvc.models import (
    Comment,
    Commenter,
    EndReason,
    Identity,
    LedgerKind,
    Likes,
    Note,
    Site,
    Status,
    Subscription,
    SuppressionReason,
    Thread,
    Vote,
    now,
)
from tests.conftest import environment
from tests.support import archives
from tests.support.comment_builders import ANNA, BEN, Pen, article

CARL = "carl@mail.example"
BACK = "I am back"


@pytest.fixture
def other_settings(tmp_path: Path, migrated_sqlite: Path) -> Settings:
    """Settings of a service with an empty SQLite file."""
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(migrated_sqlite, folder / "comments.sqlite")
    return Settings.from_env(environment(folder))


class Before:
    """What a site had when a backup was made."""

    def __init__(self, session: Session, site: Site) -> None:
        self.session, self.site = session, site
        self.member, self.linked = Commenter(name="Mia"), Commenter(name="Lea")
        session.add_all([self.member, self.linked])
        session.flush()
        session.add(
            Identity(commenter_id=self.member.id, provider="github", issuer="https://github.com", subject="7")
        )
        session.add(Note(site_id=site.id, about="email:ben@mail.example", text="Knows birds."))
        for provider in ("gitlab", "google"):
            issuer = f"https://{provider}.com"
            session.add(
                Identity(
                    commenter_id=self.linked.id,
                    provider=provider,
                    issuer=issuer,
                    subject="8",
                    created_at=now(),
                )
            )
        pen: Pen = article(session, site)
        self.deleted = pen.write("Anna will delete this")
        self.reply = pen.write("Anna stays", to=self.deleted)
        self.guests = pen.write("Ben will be erased", by=BEN)
        self.members = pen.write("Mia will be erased", by=Author(commenter_id=self.member.id))
        self.spam = pen.write("Spam that will be deleted")
        self.pen = pen
        decisions.decide(session, self.spam, Status.SPAM)
        thread = session.scalars(select(Thread)).one()
        for address in ("ended@mail.example", "undone@mail.example", "all@mail.example", CARL):
            self.subscribe(address, thread)
        session.commit()

    def subscribe(self, address: str, thread: Thread) -> None:
        row = archives.subscribe(self.session, self.site, thread, address, None)
        row.address_hash = suppression.hash_of_address(hash_keys.load_within(self.session), address)

    def of(self, address: str) -> Subscription:
        return self.session.scalars(select(Subscription).where(Subscription.address == address)).one()

    def erase(self) -> None:
        """Do all that must not be undone."""
        session, at = self.session, now()
        begin_write(session)
        own_changes.remove(session, session.get_one(Comment, self.deleted.id), at=at)
        subscriptions.end(session, self.of("ended@mail.example"), Scope.ONE, EndReason.LINK, at=at)
        subscriptions.end(session, self.of("all@mail.example"), Scope.ALL, EndReason.ONE_CLICK, at=at)
        subscriptions.end(session, self.of("undone@mail.example"), Scope.ALL, EndReason.LINK, at=at)
        assert subscriptions.undo(session, self.of("undone@mail.example"), at=at + timedelta(minutes=1))
        session.commit()
        begin_write(session)
        hashed = suppression.hash_of_address(hash_keys.read(session), CARL)
        for _ in range(suppression.REFUSALS):
            suppression.suppress(session, hashed, SuppressionReason.REFUSED, at=at)
        session.commit()
        erasure.erase_guest(session, AuthorRef(AuthorKind.EMAIL, "BEN@mail.example"), site_id=self.site.id)
        erasure.erase(session, self.member.id, Texts.REMOVE)
        begin_write(session)
        identities.delete(
            session, session.scalars(select(Identity).where(Identity.provider == "gitlab")).one()
        )
        session.commit()
        expired_comments.remove_chosen(
            session, self.site.id, [self.spam.id], moderator_id=1, at=at, progress=lambda _: None
        )


def restored(session: Session, path: Path, found: ledgers.Ledgers) -> ReplayReport:
    """Restore an archive and replay ledgers."""
    reports: list[ReplayReport] = []
    with ArchiveFile(path) as archive:
        restoring.restore(
            session, archive, amend=lambda session: reports.append(replaying.replay(session, found))
        )
    return reports[0]


def require_erased(session: Session) -> None:
    """Check that all that was erased is gone, and all else is there."""
    texts = set(session.scalars(select(Comment.source).where(Comment.status == Status.APPROVED)))
    assert texts == {"Anna stays"}
    everything = " ".join(session.scalars(select(Comment.source)))
    assert "will be" not in everything
    assert "will delete" not in everything
    assert set(session.scalars(select(Comment.guest_email))) <= {None, ANNA.email}
    assert not session.scalars(select(Commenter).where(Commenter.name == "Mia")).all()
    assert not session.scalars(select(Identity).where(Identity.subject == "7")).all()
    providers = select(Identity.provider).join(Commenter).where(Commenter.name == "Lea")
    assert session.scalars(providers).all() == ["google"]
    assert not session.scalars(select(Note)).all()
    ended = {row.address: row.ended_by for row in session.scalars(select(Subscription))}
    assert ended == {
        "ended@mail.example": EndReason.LINK,
        "all@mail.example": EndReason.ONE_CLICK,
        "undone@mail.example": None,
        CARL: None,
    }
    key = hash_keys.read(session)
    for address, reason in (("all@mail.example", "asked"), (CARL, "refused"), ("undone@mail.example", None)):
        hashed = suppression.hash_of_address(key, address)
        assert suppression.effective(session, hashed, 1) == reason, address
    thread = session.scalars(select(Thread)).one()
    assert thread.approved_count == 1


@pytest.mark.parametrize(
    ("engine_name", "has_same_key"), [("sqlite", True), ("sqlite", False), ("postgresql", True)]
)
def test_nobody_comes_back_from_an_archive(
    session: Session,
    site: Site,
    settings: Settings,
    other_settings: Settings,
    has_same_key: bool,
    tmp_path: Path,
) -> None:
    before = Before(session, site)
    path = archives.write(session, tmp_path / "a.zip", at=now())
    before.erase()
    begin_write(session)
    key = hash_keys.load_within(session)
    in_table = entries.stored(session)
    session.commit()
    in_file = ledgers.in_directories([settings.ledger_dir], own_key=None)
    assert in_file == {key: in_table}, "the file has what was committed"
    with archives.opened(other_settings) as target:
        begin_write(target)
        hash_keys.adopt(target, key if has_same_key else bytes(32))
        target.commit()
        report = restored(target, path, in_file)
        assert (report.comments, report.people, report.subscriptions, report.addresses) == (4, 2, 2, 2)
        require_erased(target)
        assert len(entries.stored(target)) == (len(in_table) if has_same_key else 0)
        begin_write(target)
        assert not replaying.replay(target, in_file), "a second time finds nothing to do"


def test_an_archive_does_not_bring_back_what_a_living_site_has_erased(
    session: Session, site: Site, tmp_path: Path
) -> None:
    before = Before(session, site)
    path = archives.write(session, tmp_path / "a.zip", at=now())
    before.erase()
    key = hash_keys.read(session)
    restored(session, path, {key: entries.stored(session)})
    require_erased(session)


def test_a_text_that_was_kept_without_a_name_is_restored_without_it(
    session: Session, site: Site, settings: Settings, other_settings: Settings, tmp_path: Path
) -> None:
    before = Before(session, site)
    path = archives.write(session, tmp_path / "a.zip", at=now())
    erasure.erase(session, before.member.id, Texts.KEEP)
    with archives.opened(other_settings) as target:
        report = restored(target, path, ledgers.in_directories([settings.ledger_dir], own_key=None))
        assert (report.people, report.comments) == (1, 0)
        comment = target.scalars(select(Comment).where(Comment.source == "Mia will be erased")).one()
        assert (comment.commenter_id, comment.status) == (None, Status.APPROVED)
        assert not target.scalars(select(Commenter).where(Commenter.name == "Mia")).all()


def test_who_comes_back_by_themselves_stays(session: Session, site: Site, tmp_path: Path) -> None:
    """They comment and subscribe again after their erasure; a backup from then has it, and keeps it."""
    before = Before(session, site)
    before.erase()
    begin_write(session)
    before.pen.at = now()
    before.pen.write(BACK, by=BEN)
    member = Commenter(name="Mia")
    session.add(member)
    session.flush()
    session.add(Identity(commenter_id=member.id, provider="github", issuer="https://github.com", subject="7"))
    row = before.of("ended@mail.example")
    row.requested_at, row.ended_at, row.ended_by = now(), None, None
    session.add(Note(site_id=site.id, about="email:ben@mail.example", text="Is back."))
    session.commit()
    begin_write(session)
    report = replaying.replay(session, {hash_keys.read(session): entries.stored(session)})
    assert not report
    assert session.scalars(select(Comment).where(Comment.source == BACK)).one().status is Status.APPROVED
    assert before.of("ended@mail.example").ended_at is None
    assert session.scalars(select(Note)).one()


def test_the_key_is_beside_the_backups_even_if_nobody_was_erased(session: Session, tmp_path: Path) -> None:
    session.commit()
    upkeep.bring_up_to_date(session, tmp_path)
    key = hash_keys.read(session)
    found = ledgers.in_directories([tmp_path], own_key=None)
    assert found == {key: []}
    assert ledgers.latest(found) == key
    later = Entry("0" * 32, now(), LedgerKind.GUEST, "1" * 64)
    assert ledgers.latest({key: [], b"other": [later]}) == b"other"


def test_votes_of_an_erased_guest_do_not_come_back(session: Session, site: Site) -> None:
    """A copy of SQLite has them, which an archive leaves out."""
    site.likes = Likes.LIKES
    pen = article(session, site)
    liked, theirs = pen.write("Anna stays"), pen.write("Ben writes", by=BEN)
    key = "7" * 64
    theirs.author_key_hash = key
    votes.cast(session, liked.id, Author(author_key_hash=key), 1, at=pen.at)
    session.commit()
    begin_write(session)
    entries.record(session, LedgerKind.GUEST, [subjects.guest(AuthorKind.EMAIL, str(BEN.email))])
    session.commit()
    begin_write(session)
    assert replaying.replay(session, {hash_keys.read(session): entries.stored(session)})
    session.refresh(liked)
    assert liked.ups == 0
    assert not session.scalars(select(Vote)).all()


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_an_address_of_a_script_that_is_stored_in_capital_letters_is_found(
    session: Session, site: Site
) -> None:
    who = AuthorRef.parse("email:info@\u13e3\u13b3\u13a9.example")
    comment = article(session, site).write("Hello", by=BEN)
    comment.guest_email = who.value
    session.commit()
    begin_write(session)
    entries.record(session, LedgerKind.GUEST, [subjects.guest(who.kind, who.value)])
    session.commit()
    begin_write(session)
    assert replaying.replay(session, {hash_keys.read(session): entries.stored(session)}).comments == 1


def test_the_ledger_has_nobody_in_clear(session: Session, site: Site, settings: Settings) -> None:
    Before(session, site).erase()
    (path,) = files.in_directory(settings.ledger_dir)
    text = path.read_text()
    for word in ("anna", "ben", "mia", "carl", "example", "github", "gitlab"):
        assert word not in text.lower()
    assert path.stat().st_mode & 0o077 == 0
    assert path.with_suffix(files.KEY).stat().st_mode & 0o077 == 0
